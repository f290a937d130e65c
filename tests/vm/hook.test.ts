/** Swap limits of all kinds of containers before their first instruction, with the hook installed as on a real node. */
import { describe, expect, test } from "bun:test";
import {
  type ContainerSpec,
  containerName,
  effectiveLimit,
  type Level,
  type Runtime,
  startContainer,
} from "./container.ts";
import { startNode } from "./node.ts";
import { oomScoreAdjOf32MiB, podPaths, podSlices, swapShares } from "./pods.ts";

interface Case extends ContainerSpec {
  name: string;
  /** Effective limit that the container's first process reads. */
  limitBytes: number;
  event: string;
  reason: string;
  /** Other fields of the log line. */
  fields?: Record<string, string>;
}

const guest = await startNode();
const shareOfSwap = await swapShares(guest);
const MiB = 1024 ** 2;

const burstable = { cgroupParent: podSlices.Burstable, oomScoreAdj: oomScoreAdjOf32MiB };
const guaranteed = { cgroupParent: podSlices.Guaranteed, oomScoreAdj: -997 };
const bestEffort = { cgroupParent: podSlices.BestEffort, oomScoreAdj: 1000 };
const granted = {
  limitBytes: shareOfSwap(oomScoreAdjOf32MiB),
  event: "swap-limit-set",
  reason: "limited-swap",
};
const denied = { limitBytes: 0, event: "swap-limit-set" };
const underCgroupfs = { cgroupManager: "cgroupfs" } as const;

/** Cases that the runtime's own levels of cgroups and limits decide. */
const layouts: Case[] = [
  { name: "Burstable without a memory limit", ...burstable, ...granted },
  { name: "Burstable with a memory limit", ...burstable, memory: "64m", ...granted },
  {
    name: "Burstable with a memory limit whose kubelet denies swap",
    ...burstable,
    memory: "64m",
    unified: { "memory.swap.max": "0" },
    ...granted,
  },
  {
    // The scope denies swap too, so that under crun the hook must write both levels.
    name: "Burstable without a memory limit whose kubelet denies swap",
    ...burstable,
    unified: { "memory.swap.max": "0" },
    ...granted,
  },
  {
    name: "Guaranteed",
    ...guaranteed,
    memory: "64m",
    limitBytes: 0,
    event: "swap-limit-kept",
    reason: "guaranteed",
  },
  {
    name: "Guaranteed whose runtime grants swap",
    ...guaranteed,
    memory: "64m",
    memorySwap: "80m",
    ...denied,
    reason: "guaranteed",
  },
  { name: "BestEffort", ...bestEffort, ...denied, reason: "best-effort" },
  {
    name: "whose kubelet grants swap",
    ...burstable,
    memory: "64m",
    unified: { "memory.swap.max": `${6 * MiB}` },
    limitBytes: 6 * MiB,
    event: "swap-limit-left",
    reason: "kubelet-limited-swap",
  },
  {
    name: "Burstable under cgroupfs",
    ...underCgroupfs,
    cgroupParent: podPaths.Burstable,
    oomScoreAdj: oomScoreAdjOf32MiB,
    memory: "64m",
    ...granted,
  },
];

/** Cases that the hook's rules decide: tests/runc runs their like under runc, without emulation. */
const rules: Case[] = [
  {
    name: "Burstable with a tiny request",
    ...burstable,
    oomScoreAdj: 999,
    ...denied,
    reason: "request-unknown",
  },
  {
    name: "Burstable with a request that equals its limit",
    ...burstable,
    memory: "32m",
    memorySwap: "48m",
    ...denied,
    reason: "request-equals-limit",
  },
  { name: "node-critical", ...burstable, oomScoreAdj: -997, ...denied, reason: "critical" },
  ...["kube-system", "openshift-monitoring"].map((namespace) => ({
    name: `of the namespace ${namespace}`,
    ...burstable,
    annotations: { "io.kubernetes.pod.namespace": namespace },
    ...denied,
    reason: "excluded-namespace",
    fields: { namespace },
  })),
  {
    name: "that requests no swap",
    ...burstable,
    annotations: { "wasp.io/swap-limit": "0" },
    ...denied,
    reason: "pod-override",
  },
  {
    name: "that requests less swap",
    ...burstable,
    memory: "64m",
    annotations: { "wasp.io/swap-limit": "8Mi" },
    ...granted,
    limitBytes: 8 * MiB,
    reason: "pod-override",
  },
  {
    name: "that requests more swap",
    ...burstable,
    memory: "64m",
    annotations: { "wasp.io/swap-limit": "1Gi" },
    ...granted,
    fields: { ignoredOverride: "1Gi: above the entitlement, and podOverrides is Lower" },
  },
  {
    name: "whose pod requests swap for it by name",
    ...burstable,
    memory: "64m",
    annotations: { "wasp.io/swap-limit": "8Mi", [`swap-limit.wasp.io/${containerName}`]: "4Mi" },
    ...granted,
    limitBytes: 4 * MiB,
    reason: "pod-override",
  },
  {
    name: "outside Kubernetes",
    oomScoreAdj: oomScoreAdjOf32MiB,
    memory: "64m",
    memorySwap: "96m",
    limitBytes: 32 * MiB,
    event: "swap-limit-left",
    reason: "not-kubernetes",
  },
  {
    name: "Guaranteed under cgroupfs",
    ...underCgroupfs,
    cgroupParent: podPaths.Guaranteed,
    oomScoreAdj: -997,
    ...denied,
    reason: "guaranteed",
  },
  {
    name: "BestEffort under cgroupfs",
    ...underCgroupfs,
    cgroupParent: podPaths.BestEffort,
    oomScoreAdj: 1000,
    ...denied,
    reason: "best-effort",
  },
];

describe.each([
  { runtime: "runc", cases: layouts },
  { runtime: "crun", cases: [...layouts, ...rules] },
] as const)("under $runtime, a container", ({ runtime, cases }) => {
  test.each(cases)("$name", async ({ limitBytes, event, reason, fields, ...spec }) => {
    const { id, own, above, log } = await startContainer(guest, runtime, spec);
    expect(own).toHaveLength(levelsOf(runtime, spec));
    expect(effectiveLimit({ own, above })).toBe(limitBytes);
    expect(above.filter(isLimited)).toEqual([]);
    expect(log).toEqual([
      expect.objectContaining({
        ...{ event, reason, id, namespace: "default", pod: "web-0", container: containerName },
        ...fields,
      }),
    ]);
  });

  test("of a static pod is excluded by the hook's definition", async () => {
    const annotations = { "kubernetes.io/config.source": "file" };
    const { own, log } = await startContainer(guest, runtime, { ...burstable, annotations });
    expect(own.filter(isLimited)).toEqual([]);
    expect(log).toEqual([]);
  });
});

/** Returns the number of the container's own cgroups: crun with systemd puts the process one level below the scope. */
function levelsOf(runtime: Runtime, { cgroupManager }: ContainerSpec): number {
  return runtime === "crun" && cgroupManager !== "cgroupfs" ? 2 : 1;
}

function isLimited({ swapMaxBytes }: Level): boolean {
  return swapMaxBytes !== Number.POSITIVE_INFINITY;
}
