import { findKubepods, scanContainers } from "../kubepods.ts";
import { takeNodeLock } from "../lock.ts";
import { SwapLimit } from "../swap-limit.ts";
import type { Host } from "./host.ts";
import { isThere } from "./read-host.ts";

/** What became of the swap limits of a host's containers. */
export interface ZeroedLimits {
  /** How many containers may not swap any more, of those that could. */
  readonly zeroed: number;
  /** What could not be written, and why. */
  readonly problems: readonly string[];
}

/** Tells how many of a host's containers may swap. */
export function countSwapping(host: Host): number {
  return swappingLimits(host).length;
}

/** Sets the swap limit of each of a host's containers to 0; one that cannot be set is told of, and the others are. */
export function zeroLimits(host: Host): ZeroedLimits {
  const problems: string[] = [];
  const limits = swappingLimits(host);
  for (const limit of limits) {
    try {
      limit.write(0);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { zeroed: limits.length - problems.length, problems };
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
