import { matchesNamespace } from "../kubernetes/namespace.ts";
import { parseLimit } from "../kubernetes/quantity.ts";
import type { MemoryQosDecision } from "../memory-qos/classes.ts";
import type { Container } from "./container.ts";
import { applyOverride, type SwapLimitConfig, type SwapLimitDecision } from "./swap-limit.ts";

type AskedMemoryQos = Pick<MemoryQosDecision, "className" | "ofClass" | "direct" | "isSwapBounded">;

/** Knobs that a pod's annotations keep to, and the limit that the container is entitled to without them. */
export interface MemoryQosBounds {
  readonly config: SwapLimitConfig;
  /** Undefined if that is unknown. */
  readonly entitled: SwapLimitDecision | undefined;
}

/**
 * Decides the swap limit that a pod's annotations for memory QoS give to a container; undefined if they do not set swap, or
 * may not. The annotation for memory.swap.max comes first. A class leaves swap unlimited, or gives its own maximum, and
 * the pod's own annotation for wasp may lower that.
 *
 * Such annotations have no effect in an excluded namespace. Beyond podOverrides, and with NoSwap, they have one if the
 * administrator has given a maximum. Without bounds wasp limits no swap otherwise, and every annotation has its effect.
 */
export function swapByMemoryQos(
  { className, ofClass, direct, isSwapBounded }: AskedMemoryQos,
  { namespace, swapOverride }: Pick<Container, "namespace" | "swapOverride">,
  bounds: MemoryQosBounds | undefined,
): SwapLimitDecision | undefined {
  const config = bounds?.config;
  if (
    config !== undefined &&
    namespace !== undefined &&
    matchesNamespace(namespace, config.excludeNamespaces)
  )
    return undefined;
  const directBytes = parseLimit(direct["memory.swap.max"] ?? "");
  if (directBytes !== undefined) {
    const asked = { limitBytes: directBytes, reason: "memory-qos-annotation" } as const;
    return permitted(asked, "memory.swap.max.memory-qos.nri.io", isSwapBounded.direct, bounds);
  }
  const classBytes = parseLimit(ofClass["memory.swap.max"] ?? "");
  if (classBytes === undefined) return undefined;
  const asked = { limitBytes: classBytes, reason: "memory-qos-class" } as const;
  const decision = permitted(asked, `class ${className}`, isSwapBounded.ofClass, bounds);
  return decision && config ? applyOverride(decision, swapOverride, config) : decision;
}

function permitted(
  asked: SwapLimitDecision,
  name: string,
  isBounded: boolean,
  bounds: MemoryQosBounds | undefined,
): SwapLimitDecision | undefined {
  if (bounds === undefined || isBounded) return asked;
  const { config, entitled } = bounds;
  if (config.swapBehavior === "NoSwap") return undefined;
  if (config.podOverrides === "Any") return asked;
  if (entitled === undefined) return undefined;
  if (config.podOverrides === "Lower" && asked.limitBytes <= entitled.limitBytes) return asked;
  const why = `podOverrides is ${config.podOverrides}, and the node's memoryQos has no max for it`;
  return { ...entitled, ignoredOverride: `${name}: ${why}` };
}
