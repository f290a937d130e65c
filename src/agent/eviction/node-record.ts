import type { Node } from "../../cluster/node.ts";
import { swapPressureStatus } from "../../cluster/node-condition.ts";
import { evictionsOf, type NodeEviction } from "../../cluster/node-evictions.ts";
import { hasTaint } from "../../cluster/node-taint.ts";
import type { EvictionPast } from "../../policy/eviction/resume.ts";
import type { EvictedPod } from "../../policy/eviction/state.ts";

// Two agents have no clock in common but the one that is shown, which may jump.

/** What an agent before this one left on the node; the seconds are those of this one's clock, at which it is `nowSeconds`. */
export function pastOf(node: Node, taintEffect: string, nowSeconds: number): EvictionPast {
  // What is to come was written before the clock was set back: it is taken for a moment ago.
  const ageOf = (atMilliseconds: number) => Math.max(0, (Date.now() - atMilliseconds) / 1000);
  const evicted = evictionsOf(node).map(({ podUid, atMilliseconds }) => ({
    podUid,
    atSeconds: nowSeconds - ageOf(atMilliseconds),
  }));
  // The taint goes before the condition does: where there may be one, it alone tells.
  const hasOwnTaint = !hasTaint(node, undefined);
  const isTold = taintEffect === "None" && swapPressureStatus(node) === "True";
  return { evicted, isPressed: hasOwnTaint || isTold };
}

/** What an agent after this one is to find on the node. */
export function legacyOf(evicted: readonly EvictedPod[], nowSeconds: number): readonly NodeEviction[] {
  return evicted.map(({ podUid, atSeconds }) => ({
    podUid,
    atMilliseconds: Date.now() - (nowSeconds - atSeconds) * 1000,
  }));
}
