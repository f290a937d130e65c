import type { Container, NodeCapacity } from "./container.ts";
import { hookLimitOf } from "./hook-limit.ts";
import { wholePages } from "./reconcile.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";

/** Reason for which wasp leaves all limits to the kubelet. */
export type StandDownReason =
  /** The kubelet's configuration says that it limits swap itself (/configz). */
  | "kubelet-configz"
  /** A container started with the limit that only the kubelet sets. */
  | "kubelet-container";

/** Evidence of whether the kubelet limits swap itself; undefined where it is unknown. */
export interface KubeletSigns {
  /** `memorySwap.swapBehavior` of its configuration; empty for its default, which is NoSwap. */
  readonly swapBehavior: string | undefined;
  /** True if a container started with the kubelet's own limit. */
  readonly hasLimitedContainer: boolean;
}

/**
 * Decides whether to leave all limits to the kubelet. Its configuration has precedence over the limits of its
 * containers. The swap capacity in a node's status is no evidence: a node has it under NoSwap too (kubernetes
 * pkg/kubelet/nodestatus/setters.go:286-290).
 */
export function standDownReason(signs: KubeletSigns): StandDownReason | undefined {
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
