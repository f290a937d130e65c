import { expect, test } from "bun:test";
import { isCriticalPod } from "../../../src/policy/kubernetes/pod.ts";
import { DB_POD } from "../db-pod.ts";

test("an empty annotation makes a mirror pod, and only a value makes a static pod", () => {
  expect(isCriticalPod({ ...DB_POD, annotations: { "kubernetes.io/config.mirror": "" } })).toBe(true);
  expect(isCriticalPod({ ...DB_POD, annotations: {} })).toBe(false);
});
