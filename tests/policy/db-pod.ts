import type { Pod } from "../../src/policy/kubernetes/pod.ts";

/** Burstable pod without containers. */
export const DB_POD: Pod = {
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
