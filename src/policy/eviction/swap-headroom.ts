import type { ContainerSample, NodeSample, Snapshot } from "./snapshot.ts";

/** Swap usage of the pods, and their room for more. */
export interface SwapHeadroom {
  readonly swappedBytes: number;
  /** Memory that can still be swapped out, within each container's own limit and the node's free swap. */
  readonly leftBytes: number;
}

/** Computes the pods' room in swap; undefined while containers are not sampled, or without the values that it needs. */
export function swapHeadroomOf(
  containers: readonly ContainerSample[],
  { swapFreeBytes }: NodeSample,
): SwapHeadroom | undefined {
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

const SWAP_EXHAUSTED_FRACTION = 0.02;

/** Returns true if swap is full: all of the node's, or all that the pods may use and have memory for. */
export function isSwapExhausted({ node, containers }: Snapshot): boolean {
  const { swapTotalBytes, swapFreeBytes } = node;
  if (swapTotalBytes <= 0) return false;
  if (swapFreeBytes <= SWAP_EXHAUSTED_FRACTION * swapTotalBytes) return true;
  const headroom = swapHeadroomOf(containers, node);
  return (
    headroom !== undefined &&
    headroom.swappedBytes > 0 &&
    headroom.leftBytes <= SWAP_EXHAUSTED_FRACTION * (headroom.swappedBytes + headroom.leftBytes)
  );
}
