import type { Container, NodeCapacity } from "./container.ts";
import { hookLimitOf } from "./hook-limit.ts";
import { wholePages } from "./reconcile.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";

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
  if (signs.swapBehavior !== undefined)
    return signs.swapBehavior === "LimitedSwap" ? "kubelet-configz" : undefined;
  return signs.hasLimitedContainer ? "kubelet-container" : undefined;
}

const KUBELET_CONFIG: SwapLimitConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Never",
  excludeNamespaces: [],
  systemReservedSwapBytes: 0,
};

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
