import { findKubepods, scanContainers } from "../../host/kubepods.ts";
import { takeNodeLock } from "../../host/lock.ts";
import { SwapLimit } from "../../host/swap-limit.ts";
import type { Host } from "../target/host.ts";
import { isThere } from "../target/read-host.ts";

/** Tells how many of a host's containers may swap. */
export function countSwapping(host: Host): number {
  return swappingLimits(host).length;
}

/** Sets the swap limit of each of a host's containers to 0, and tells why that failed for some. */
export function zeroLimits(host: Host): string[] {
  return swappingLimits(host).flatMap((limit) => {
    try {
      limit.write(0);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

/** Whether a wasp agent runs on a host, which would set the limits again. */
export function hasAgent(host: Host): boolean {
  if (!isThere(host, "/sys/fs/cgroup")) return false;
  using lock = takeNodeLock(host.fsroot);
  return lock === undefined;
}

function swappingLimits({ fsroot }: Host): SwapLimit[] {
  const containers = findKubepods(fsroot).flatMap(scanContainers);
  return containers.flatMap(({ cgroup }) => {
    try {
      const limit = new SwapLimit(cgroup);
      return limit.isPossible && limit.read() > 0 ? [limit] : [];
    } catch {
      // It is gone meanwhile, and swaps no more.
      return [];
    }
  });
}
