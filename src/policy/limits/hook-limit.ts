import type { Container, NodeCapacity } from "./container.ts";
import { invertOomScoreAdj, oomScoreAdjOf } from "./oom-score-adj.ts";
import { wholePages } from "./reconcile.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";

/**
 * The limit that the hook gives this container, in whole pages of pageBytes, Infinity for none: it can only tell the
 * request from oom_score_adj, and takes the lowest that fits.
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
 * Whether a container that was found with this limit at its start may have it from the hook; undefined where that
 * cannot be told, because the hook too leaves it none.
 */
export function mayBeFromHook(effectiveBytes: number, hookLimitBytes: number): boolean | undefined {
  if (hookLimitBytes === 0) return undefined;
  // Not compared to the byte: the hook's own flags may be others, and a kubelet without NodeSwap leaves some without a limit.
  return effectiveBytes > 0 && (Number.isFinite(effectiveBytes) || hookLimitBytes === effectiveBytes);
}

function requestSeenByHook({ memoryRequest }: Container, { memoryTotalBytes }: NodeCapacity) {
  const oomScoreAdj = oomScoreAdjOf(memoryRequest.lowBytes, memoryTotalBytes);
  return invertOomScoreAdj(oomScoreAdj, memoryTotalBytes) ?? memoryRequest;
}
