import { matchesNamespace } from "../kubernetes/namespace.ts";
import { parseLimit } from "../kubernetes/quantity.ts";
import type { Container, LeaveReason, NodeCapacity, NoSwapReason, Reason } from "./container.ts";

/** Swap behaviors of the node: no swap, each container's share, or no limit. */
export const SWAP_BEHAVIORS = ["NoSwap", "LimitedSwap", "UnlimitedSwap"] as const;

/** Workloads that may swap: all Burstable pods, or only KubeVirt's virtual machines. */
export const WORKLOADS = ["Burstable", "VirtualMachines"] as const;

/** Changes that a pod's own annotation may make to its swap limit. */
export const POD_OVERRIDES = ["Never", "Lower", "Any"] as const;

/** Knobs of a swap decision. */
export interface SwapLimitConfig {
  readonly swapBehavior: (typeof SWAP_BEHAVIORS)[number];
  readonly workloads: (typeof WORKLOADS)[number];
  readonly podOverrides: (typeof POD_OVERRIDES)[number];
  readonly excludeNamespaces: readonly string[];
  /** Swap of the node that is not shared out, in bytes; the kubelet reserves none. */
  readonly systemReservedSwapBytes: number;
}

/** Swap limit that a container is entitled to, with the reason. */
export interface SwapLimitDecision {
  /** In bytes; Infinity for no limit. */
  readonly limitBytes: number;
  readonly reason: Exclude<Reason, LeaveReason>;
  /** Annotation that was ignored, with the reason. */
  readonly ignoredOverride?: string;
}

/**
 * Decides a container's swap limit: the kubelet's exclusions and formula (kubernetes
 * pkg/kubelet/kuberuntime/kuberuntime_container_linux.go:234-257,520-534), then wasp's configuration, then the pod's
 * own annotation.
 */
export function decideSwapLimit(
  container: Container,
  node: NodeCapacity,
  config: SwapLimitConfig,
): SwapLimitDecision {
  const ineligible = adjudicatePod(container, config);
  if (ineligible !== undefined) return { limitBytes: 0, reason: ineligible };
  return applyOverride(entitlement(container, node, config), container.swapOverride, config);
}

/** Applies the pod's own annotation, as written, to the entitlement, as far as podOverrides allows. */
export function applyOverride(
  entitled: SwapLimitDecision,
  asked: string | undefined,
  config: SwapLimitConfig,
): SwapLimitDecision {
  if (asked === undefined) return entitled;
  const ignored = (why: string) => ({ ...entitled, ignoredOverride: `${asked}: ${why}` });
  if (config.podOverrides === "Never") return ignored("podOverrides is Never");
  const askedBytes = parseLimit(asked);
  if (askedBytes === undefined) return ignored('neither "max" nor a quantity of bytes');
  if (askedBytes === entitled.limitBytes) return entitled;
  if (askedBytes > entitled.limitBytes && config.podOverrides === "Lower")
    return ignored("above the entitlement, and podOverrides is Lower");
  return { limitBytes: askedBytes, reason: "pod-override" };
}

/** Returns the first reason for which no container of this pod gets swap; an annotation cannot change it. */
function adjudicatePod(container: Container, config: SwapLimitConfig): NoSwapReason | undefined {
  if (config.swapBehavior === "NoSwap") return "swap-behavior";
  if (container.namespace !== undefined && matchesNamespace(container.namespace, config.excludeNamespaces)) {
    return "excluded-namespace";
  }
  if (container.isStatic) return "static";
  if (container.isCritical) return "critical";
  if (container.qosClass === "Guaranteed") return "guaranteed";
  if (container.qosClass === "BestEffort") return "best-effort";
  if (config.workloads === "VirtualMachines" && !container.isVirtualMachine) return "not-virtual-machine";
  return undefined;
}

function entitlement(container: Container, node: NodeCapacity, config: SwapLimitConfig): SwapLimitDecision {
  const reason = adjudicateRequest(container, node);
  if (reason !== undefined) return { limitBytes: 0, reason };
  if (config.swapBehavior === "UnlimitedSwap") {
    return { limitBytes: Number.POSITIVE_INFINITY, reason: "unlimited-swap" };
  }
  const swapBytes = node.swapTotalBytes - config.systemReservedSwapBytes;
  if (swapBytes <= 0) return { limitBytes: 0, reason: "no-swap-on-node" };
  const limitBytes = shareOfSwap(container.memoryRequest.lowBytes, node.memoryTotalBytes, swapBytes);
  return { limitBytes, reason: "limited-swap" };
}

/** Returns the first reason for which a container with this memory request gets no swap. */
function adjudicateRequest(container: Container, node: NodeCapacity): NoSwapReason | undefined {
  const { lowBytes, highBytes } = container.memoryRequest;
  const limitBytes = container.memoryLimitBytes;
  if (highBytes === 0 && limitBytes === undefined) return "no-memory-request";
  if (limitBytes !== undefined && limitBytes >= lowBytes && limitBytes <= highBytes) {
    return "request-equals-limit";
  }
  if (lowBytes < highBytes && (lowBytes === 0 || (limitBytes !== undefined && limitBytes < lowBytes))) {
    return "request-unknown";
  }
  const exceeds = node.memoryTotalBytes <= 0 || lowBytes > node.memoryTotalBytes;
  return exceeds ? "request-above-capacity" : undefined;
}

// The order of these float64 operations is the kubelet's (kuberuntime_container_linux.go:520-534): another order gives
// limits that differ from the kubelet's by a byte.
function shareOfSwap(requestBytes: number, memoryTotalBytes: number, swapBytes: number): number {
  return Math.trunc((requestBytes / memoryTotalBytes) * swapBytes);
}
