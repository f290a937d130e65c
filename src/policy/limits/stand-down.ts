import type { Container, NodeCapacity } from "./container.ts";
import { hookLimitOf } from "./hook-limit.ts";
import { wholePages } from "./reconcile.ts";
import { decideSwapLimit, type SwapLimitConfig, type SwapLimitDecision } from "./swap-limit.ts";

/** Owners of swap limits: wasp unless the kubelet sets them itself, or the kubelet always. */
export const SWAP_LIMIT_OWNERS = ["Auto", "Kubelet"] as const;

/** Reason for which wasp leaves all limits to the kubelet. */
export type StandDownReason =
  /** wasp's own configuration says so. */
  | "configured"
  /** The kubelet's configuration says that it limits swap itself (/configz). */
  | "kubelet-configz"
  /** A container started with the limit that only the kubelet sets. */
  | "kubelet-container";

/** Configuration and evidence of whether the kubelet limits swap itself. */
export interface KubeletSigns {
  /** Knob of wasp's configuration. */
  readonly swapLimits: (typeof SWAP_LIMIT_OWNERS)[number];
  /** `memorySwap.swapBehavior` of the kubelet's configuration; empty for its default, NoSwap; undefined if unknown. */
  readonly swapBehavior: string | undefined;
  /** True if a container started with the kubelet's own limit. */
  readonly hasLimitedContainer: boolean;
}

/**
 * Decides whether to leave all limits to the kubelet. wasp's knob has precedence over the kubelet's configuration, and that
 * over the limits of its containers. The swap capacity in a node's status is no evidence: a node has it under NoSwap too
 * (kubernetes pkg/kubelet/nodestatus/setters.go:286-290).
 */
export function standDownReason(signs: KubeletSigns): StandDownReason | undefined {
  if (signs.swapLimits === "Kubelet") return "configured";
  if (!isKubeletLimiting(signs)) return undefined;
  return signs.swapBehavior === undefined ? "kubelet-container" : "kubelet-configz";
}

/** Returns true if the kubelet is known to run LimitedSwap, beyond a configuration that calls it the owner of limits. */
export function isKubeletLimiting({ swapBehavior, hasLimitedContainer }: KubeletSigns): boolean {
  return swapBehavior === undefined ? hasLimitedContainer : swapBehavior === "LimitedSwap";
}

const KUBELET_CONFIG: SwapLimitConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Never",
  excludeNamespaces: [],
  systemReservedSwapBytes: 0,
};

/**
 * Returns the limit of the kubelet's own LimitedSwap for a container that has more, if that is certain: one that gets
 * no swap from it, or one without any limit. A limit above the share is no such case: the kubelet shares out the swap
 * that the node had at the kubelet's start (kubernetes pkg/kubelet/kubelet.go:687-694).
 */
export function kubeletLimitBelow(
  container: Container,
  effectiveBytes: number,
  node: NodeCapacity,
): SwapLimitDecision | undefined {
  const decision = decideSwapLimit(container, node, KUBELET_CONFIG);
  // Without swap on the node now, what it had at the kubelet's start is unknown.
  if (decision.reason === "no-swap-on-node") return undefined;
  const isCertain =
    decision.limitBytes === 0 ? effectiveBytes > 0 : effectiveBytes === Number.POSITIVE_INFINITY;
  return isCertain ? decision : undefined;
}

/**
 * Returns true if a container that wasp's agent has not written to yet has the limit of the kubelet's own LimitedSwap,
 * in whole pages of pageBytes: the exact one, where wasp's hook would have set a lower one.
 */
export function carriesKubeletLimit(
  container: Container,
  effectiveBytes: number,
  node: NodeCapacity,
  pageBytes: number,
): boolean {
  const { limitBytes, reason } = decideSwapLimit(container, node, KUBELET_CONFIG);
  if (reason !== "limited-swap" || effectiveBytes === 0) return false;
  return (
    effectiveBytes === wholePages(limitBytes, pageBytes) &&
    effectiveBytes !== hookLimitOf(container, node, KUBELET_CONFIG, pageBytes)
  );
}
