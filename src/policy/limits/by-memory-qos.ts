import { parseLimit } from "../kubernetes/quantity.ts";
import type { MemoryQosDecision } from "../memory-qos/classes.ts";
import { applyOverride, type SwapLimitConfig, type SwapLimitDecision } from "./swap-limit.ts";

/**
 * The swap limit that a container has by its pod's annotations for memory QoS, before any share of the node's swap is
 * looked at; undefined where they say nothing of swap. An annotation for swap itself counts for most; a class leaves swap
 * without a limit, of which the pod's own annotation for wasp, as written, may ask for less. Without knobs that one is
 * not looked at.
 */
export function swapByMemoryQos(
  { ofClass, direct }: Pick<MemoryQosDecision, "ofClass" | "direct">,
  swapOverride: string | undefined,
  config: SwapLimitConfig | undefined,
): SwapLimitDecision | undefined {
  const limitBytes = parseLimit(direct["memory.swap.max"] ?? "");
  if (limitBytes !== undefined) return { limitBytes, reason: "memory-qos-annotation" };
  if (ofClass["memory.swap.max"] === undefined) return undefined;
  const unlimited = { limitBytes: Number.POSITIVE_INFINITY, reason: "memory-qos-class" } as const;
  return config === undefined ? unlimited : applyOverride(unlimited, swapOverride, config);
}
