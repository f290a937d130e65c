import { expect, test } from "bun:test";
import { isCriticalPod, type Pod } from "../../../src/policy/kubernetes/pod.ts";

const pod: Pod = {
  uid: "403f7dc8-a1f6-4e91-b1db-3419c15315d9",
  namespace: "shop",
  name: "db-0",
  annotations: { "kubernetes.io/config.source": "api" },
  labels: {},
  qosClass: "Burstable",
  priority: 0,
  phase: "Running",
  isTerminating: false,
  ownerKind: undefined,
  containers: [],
};
test("an empty annotation makes a mirror pod, and only a value makes a static pod", () => {
  expect(isCriticalPod({ ...pod, annotations: { "kubernetes.io/config.mirror": "" } })).toBe(true);
  expect(isCriticalPod({ ...pod, annotations: {} })).toBe(false);
});
