import { findContainerRoots, scanContainers } from "../../host/kubepods.ts";
import { takeNodeLock } from "../../host/lock.ts";
import { SwapLimit } from "../../host/swap-limit.ts";
import type { Host } from "../target/host.ts";
import { isThere } from "../target/read-host.ts";

/** Returns the number of containers with a swap limit above 0. */
export function countSwapping(host: Host): number {
  return swappingLimits(host).length;
}

/** Sets the swap limit of each container to 0, and returns the errors. */
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

/** Returns true if a wasp agent, which would set the limits again, is running on a host. */
export function hasAgent(host: Host): boolean {
  if (!isThere(host, "/sys/fs/cgroup")) return false;
  using lock = takeNodeLock(host.fsroot);
  return lock === undefined;
}

function swappingLimits({ fsroot }: Host): SwapLimit[] {
  const containers = findContainerRoots(fsroot).flatMap(scanContainers);
  return containers.flatMap(({ cgroup }) => {
    try {
      const limit = new SwapLimit(cgroup);
      return limit.isPossible && limit.read() > 0 ? [limit] : [];
    } catch {
      // The container is gone.
      return [];
    }
  });
}
