import { describe, expect, test } from "bun:test";
import {
  isLeaving,
  neverEvictedReason,
  type PodUsage,
  type VictimConfig,
} from "../../../src/policy/eviction/never-evicted.ts";
import { candidatesOf } from "../../../src/policy/eviction/victim.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

const config: VictimConfig = {
  excludeNamespaces: ["kube-system", "openshift*"],
  ownPodUid: "wasp",
  evictionOptOut: "WithinRequests",
  evictionOptOutNamespaces: ["*"],
};
const UNKNOWN: PodUsage = { usageBytes: undefined, requestBytes: undefined };
const MIGRATING = { "descheduler.alpha.kubernetes.io/eviction-in-progress": "kubevirt" };
const OPTED_OUT: Partial<Pod> = { annotations: { "wasp.io/evict": "false" } };
const VIRT_LAUNCHER = { "kubevirt.io": "virt-launcher" };

describe("a pod is protected from eviction", () => {
  test.each<[string, Partial<Pod>, string | undefined]>([
    ["never without a reason", {}, undefined],
    [
      "if it comes from a file of the node",
      { annotations: { "kubernetes.io/config.source": "file" } },
      "static",
    ],
    [
      "if it is a static pod's mirror",
      { annotations: { "kubernetes.io/config.mirror": "hash" } },
      "critical",
    ],
    ["at a system priority", { priority: 2_000_000_000 }, "critical"],
    ["never just below a system priority", { priority: 1_999_999_999 }, undefined],
    ["if it is the agent's own", { uid: "wasp" }, "own-pod"],
    ["if it is terminating", { isTerminating: true }, "terminating"],
    ["if it has succeeded", { phase: "Succeeded" }, "finished"],
    ["if it has failed", { phase: "Failed" }, "finished"],
    ["in an excluded namespace", { namespace: "openshift-storage" }, "excluded-namespace"],
    ["by its annotation", OPTED_OUT, "opted-out"],
    ["never by another value of the annotation", { annotations: { "wasp.io/evict": "true" } }, undefined],
    [
      "while KubeVirt migrates its virtual machine",
      { annotations: MIGRATING, labels: VIRT_LAUNCHER, ownerKind: "VirtualMachineInstance" },
      "migrating",
    ],
    ["never by the annotation of a migration alone", { annotations: MIGRATING }, undefined],
    [
      "never by that annotation and KubeVirt's label",
      { annotations: MIGRATING, labels: VIRT_LAUNCHER, ownerKind: "ReplicaSet" },
      undefined,
    ],
    [
      "never by that annotation and the label, without a controller",
      { annotations: MIGRATING, labels: VIRT_LAUNCHER, ownerKind: undefined },
      undefined,
    ],
    [
      "never by that annotation on KubeVirt's pod for a disk",
      {
        annotations: MIGRATING,
        labels: { "kubevirt.io": "hotplug-disk" },
        ownerKind: "VirtualMachineInstance",
      },
      undefined,
    ],
  ])("%s", (_, differences, reason) => {
    const pod = podOf("pod", differences);
    expect(neverEvictedReason(pod, UNKNOWN, config)).toBe(reason as never);
  });
});

describe("the annotation wasp.io/evict", () => {
  const within = { usageBytes: 100, requestBytes: 100 };
  const over = { usageBytes: 101, requestBytes: 100 };
  const bestEffort = { usageBytes: 1, requestBytes: 0 };

  test.each<[VictimConfig["evictionOptOut"], PodUsage, boolean]>([
    ["WithinRequests", within, true],
    ["WithinRequests", over, false],
    ["WithinRequests", bestEffort, false],
    ["WithinRequests", UNKNOWN, true],
    ["WithinRequests", { usageBytes: 101, requestBytes: undefined }, true],
    ["WithinRequests", { usageBytes: undefined, requestBytes: 100 }, true],
    ["Always", over, true],
    ["Always", bestEffort, true],
    ["Always", UNKNOWN, true],
    ["Never", within, false],
    ["Never", UNKNOWN, false],
  ])("under %s and at %j holds: %p", (evictionOptOut, usage, holds) => {
    const reason = neverEvictedReason(podOf("pod", OPTED_OUT), usage, { ...config, evictionOptOut });
    expect(reason).toBe(holds ? "opted-out" : undefined);
  });

  test.each<[string[], boolean]>([
    [["*"], true],
    [["team-*"], true],
    [["team-a"], true],
    [["shop", "team-a"], true],
    [["team"], false],
    [["team-b*"], false],
    [[], false],
  ])("in a pod of team-a, with the namespaces %j, holds: %p", (evictionOptOutNamespaces, holds) => {
    const pod = podOf("pod", { ...OPTED_OUT, namespace: "team-a" });
    for (const evictionOptOut of ["WithinRequests", "Always"] as const) {
      const reason = neverEvictedReason(pod, within, { ...config, evictionOptOut, evictionOptOutNamespaces });
      expect(reason).toBe(holds ? "opted-out" : undefined);
    }
  });

  test("counts swap as usage, and does not outlive a growth over the requests", () => {
    const reasonOf = (sample: Parameters<typeof sampleOf>[1]) => {
      const snapshot = snapshotAt(0, {}, [podOf("pod", OPTED_OUT)], [sampleOf("pod", sample)]);
      return candidatesOf(snapshot, undefined).map((one) => neverEvictedReason(one.pod, one, config));
    };
    expect(reasonOf({ memoryBytes: 60 * MI, swapBytes: 40 * MI })).toEqual(["opted-out"]);
    expect(reasonOf({ memoryBytes: 60 * MI, swapBytes: 41 * MI })).toEqual([undefined]);
  });
});

test("a pod is leaving if it is deleted or migrated", () => {
  expect((["terminating", "migrating", "opted-out", "finished", undefined] as const).map(isLeaving)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
