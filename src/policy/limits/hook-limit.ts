import type { Container, NodeCapacity } from "./container.ts";
import { invertOomScoreAdj, oomScoreAdjOf } from "./oom-score-adj.ts";
import { wholePages } from "./reconcile.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";

/**
 * Computes the limit that the hook gives to this container, in whole pages of pageBytes, Infinity for none. The hook
 * derives the request from oom_score_adj, and uses the lowest one that fits.
 */
export function hookLimitOf(
  container: Container,
  node: NodeCapacity,
  config: SwapLimitConfig,
  pageBytes: number,
): number {
  const seen = { ...container, memoryRequest: requestSeenByHook(container, node) };
  return wholePages(decideSwapLimit(seen, node, config).limitBytes, pageBytes);
}

/**
 * Returns true if the limit of a container at its start may come from the hook; undefined if that is undecidable,
 * because the hook gives no swap either.
 */
export function mayBeFromHook(effectiveBytes: number, hookLimitBytes: number): boolean | undefined {
  if (hookLimitBytes === 0) return undefined;
  // Not an exact comparison: the hook may have other flags, and a kubelet without NodeSwap leaves some containers
  // unlimited.
  return effectiveBytes > 0 && (Number.isFinite(effectiveBytes) || hookLimitBytes === effectiveBytes);
}

function requestSeenByHook({ memoryRequest }: Container, { memoryTotalBytes }: NodeCapacity) {
  const oomScoreAdj = oomScoreAdjOf(memoryRequest.lowBytes, memoryTotalBytes);
  return invertOomScoreAdj(oomScoreAdj, memoryTotalBytes) ?? memoryRequest;
}
