import type { Container, NodeCapacity } from "./container.ts";
import { hookLimitOf } from "./hook-limit.ts";
import { wholePages } from "./reconcile.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";

/** Why wasp leaves all limits to the kubelet. */
export type StandDownReason =
  /** Its configuration says so (/configz). */
  | "kubelet-configz"
  /** A container came with the limit that only the kubelet gives. */
  | "kubelet-container";

/** What tells whether the kubelet limits swap itself; undefined where nothing is known. */
export interface KubeletSigns {
  /** `memorySwap.swapBehavior` of its configuration; empty for its default, which is NoSwap. */
  readonly swapBehavior: string | undefined;
  /** Whether a container came with the kubelet's own limit. */
  readonly hasLimitedContainer: boolean;
}

/**
 * Decides whether to leave all limits to the kubelet. What it says of itself counts for more than what its containers
 * look like. That a node's status has a swap capacity tells nothing: it has one under NoSwap too
 * (kubernetes pkg/kubelet/nodestatus/setters.go:286-290).
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
 * Tells whether a container, before wasp's agent has written to it, carries the limit of the kubelet's own LimitedSwap,
 * in whole pages of pageBytes: the exact one, where wasp's hook could only have given a lower.
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
