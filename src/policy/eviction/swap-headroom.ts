import type { ContainerSample, NodeSample } from "./snapshot.ts";

/** What pods have in swap, and could have there besides. */
export interface SwapRoom {
  readonly swappedBytes: number;
  /** What of their memory may go to swap yet: by each container's own limit, and by what the node has free. */
  readonly leftBytes: number;
}

/** Tells how much room pods have in swap; undefined where containers were not looked at, or not for that. */
export function swapRoomOf(
  containers: readonly ContainerSample[],
  { swapFreeBytes }: NodeSample,
): SwapRoom | undefined {
  let swappedBytes = 0;
  let leftBytes = 0;
  for (const { swapBytes, swappableBytes, swapLimitBytes } of containers) {
    if (swappableBytes === undefined || swapLimitBytes === undefined) return undefined;
    swappedBytes += swapBytes;
    leftBytes += Math.min(swappableBytes, Math.max(0, swapLimitBytes - swapBytes));
  }
  return containers.length === 0
    ? undefined
    : { swappedBytes, leftBytes: Math.min(leftBytes, swapFreeBytes) };
}
