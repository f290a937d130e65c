import type { Node } from "../../cluster/node.ts";
import { swapPressureStatus } from "../../cluster/node-condition.ts";
import { evictionsOf, type NodeEviction } from "../../cluster/node-evictions.ts";
import { hasTaint } from "../../cluster/node-taint.ts";
import type { EvictionPast } from "../../policy/eviction/resume.ts";
import type { EvictedPod } from "../../policy/eviction/state.ts";

// Two agents share no clock but the wall clock, which may jump.

/** Returns the state that an earlier agent recorded on the node, in seconds of the clock that shows `nowSeconds` now. */
export function recordedPast(node: Node, taintEffect: string, nowSeconds: number): EvictionPast {
  // A time in the future was written before the clock was set back: it counts as now.
  const ageOf = (atMilliseconds: number) => Math.max(0, (Date.now() - atMilliseconds) / 1000);
  const evicted = evictionsOf(node).map(({ podUid, atMilliseconds }) => ({
    podUid,
    atSeconds: nowSeconds - ageOf(atMilliseconds),
  }));
  // The taint is removed before the condition: if taints are configured, only the taint counts.
  const hasOwnTaint = !hasTaint(node, undefined);
  const hasOwnCondition = taintEffect === "None" && swapPressureStatus(node) === "True";
  return { evicted, isPressed: hasOwnTaint || hasOwnCondition };
}

/** Returns the evictions as recorded on the node for the next agent. */
export function evictionRecord(evicted: readonly EvictedPod[], nowSeconds: number): readonly NodeEviction[] {
  return evicted.map(({ podUid, atSeconds }) => ({
    podUid,
    atMilliseconds: Date.now() - (nowSeconds - atSeconds) * 1000,
  }));
}
