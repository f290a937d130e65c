import type { Guest } from "./guest.ts";

/** Names of pod cgroups by QoS class, under the kubelet's systemd driver. */
export const podSlices = {
  Guaranteed: "kubepods-pod1b4e28ba_2fa1_11d2_883f_0016d3cca427.slice",
  Burstable: "kubepods-burstable-pod6ba7b810_9dad_11d1_80b4_00c04fd430c8.slice",
  BestEffort: "kubepods-besteffort-podc9a646d3_9c61_4cb7_bfcd_ee2522c8f633.slice",
} as const;

/** Paths of the same pod cgroups under the cgroupfs driver. */
export const podPaths = {
  Guaranteed: "/kubepods/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427",
  Burstable: "/kubepods/burstable/pod6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  BestEffort: "/kubepods/besteffort/podc9a646d3-9c61-4cb7-bfcd-ee2522c8f633",
} as const;

/** The kubelet's oom_score_adj of a Burstable container that requests 32 MiB on a node of 2 GiB. */
export const oomScoreAdjOf32MiB = 984;

/**
 * Returns a function from a Burstable container's oom_score_adj to its swap limit: the kubelet's formula for the smallest
 * memory request with this value, in whole pages as the kernel keeps it.
 */
export async function swapShares(guest: Guest): Promise<(oomScoreAdj: number) => number> {
  const { memoryTotalBytes, swapTotalBytes } = await readCapacity(guest);
  return (oomScoreAdj) => {
    const requestBytes = Math.ceil(((1000 - oomScoreAdj) * memoryTotalBytes) / 1000);
    const limitBytes = Math.trunc((requestBytes / memoryTotalBytes) * swapTotalBytes);
    return limitBytes - (limitBytes % 4096);
  };
}

/** Reads the node's total memory and swap, in bytes. */
export async function readCapacity(
  guest: Guest,
): Promise<{ memoryTotalBytes: number; swapTotalBytes: number }> {
  const meminfo = await guest.must("cat /proc/meminfo");
  return { memoryTotalBytes: bytesOf(meminfo, "MemTotal"), swapTotalBytes: bytesOf(meminfo, "SwapTotal") };
}

function bytesOf(meminfo: string, field: string): number {
  return Number(meminfo.match(`${field}: +(\\d+) kB`)?.[1]) * 1024;
}
