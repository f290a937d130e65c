import { parseLimit } from "../kubernetes/quantity.ts";
import type { MemoryQosDecision } from "../memory-qos/classes.ts";
import { applyOverride, type SwapLimitConfig, type SwapLimitDecision } from "./swap-limit.ts";

/**
 * Decides the swap limit that a pod's annotations for memory QoS give to a container, before its share of the node's
 * swap; undefined if they do not set swap. The annotation for memory.swap.max comes first. A class leaves swap
 * unlimited, and the pod's own annotation for wasp may lower that. Without a configuration that annotation is ignored.
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
