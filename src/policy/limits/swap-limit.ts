import { matchesNamespace } from "../kubernetes/namespace.ts";
import { parseLimit } from "../kubernetes/quantity.ts";
import type { Container, LeaveReason, NodeCapacity, NoSwapReason, Reason } from "./container.ts";

/** How much swap the node's containers get: none, their share, or all they ask for. */
export const SWAP_BEHAVIORS = ["NoSwap", "LimitedSwap", "UnlimitedSwap"] as const;

/** Which pods may swap: every Burstable pod, or only KubeVirt's virtual machines. */
export const WORKLOADS = ["Burstable", "VirtualMachines"] as const;

/** What a pod's own annotation may do to its swap limit. */
export const POD_OVERRIDES = ["Never", "Lower", "Any"] as const;

/** The knobs of a swap decision. */
export interface SwapLimitConfig {
  readonly swapBehavior: (typeof SWAP_BEHAVIORS)[number];
  readonly workloads: (typeof WORKLOADS)[number];
  readonly podOverrides: (typeof POD_OVERRIDES)[number];
  readonly excludeNamespaces: readonly string[];
  /** Bytes of the node's swap that are kept from the share-out; the kubelet keeps none. */
  readonly systemReservedSwapBytes: number;
}

/** The swap limit that a container is entitled to, and why. */
export interface SwapLimitDecision {
  /** In bytes; Infinity for no limit. */
  readonly limitBytes: number;
  readonly reason: Exclude<Reason, LeaveReason>;
  /** An annotation that was not heeded, and what is wrong with it. */
  readonly ignoredOverride?: string;
}

/**
 * Decides a container's swap limit: the kubelet's exclusions and formula
 * (kubernetes pkg/kubelet/kuberuntime/kuberuntime_container_linux.go:234-257,520-534), narrowed by wasp's
 * configuration and by what the pod asks for itself.
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

/** Decides how far what a pod asks for itself, as written, changes what it is entitled to. */
export function applyOverride(
  entitled: SwapLimitDecision,
  asked: string | undefined,
  config: SwapLimitConfig,
): SwapLimitDecision {
  if (asked === undefined) return entitled;
  if (config.podOverrides === "Never") {
    return { ...entitled, ignoredOverride: `${asked}: pod overrides are off` };
  }
  const askedBytes = parseLimit(asked);
  if (askedBytes === undefined) {
    return { ...entitled, ignoredOverride: `${asked}: neither "max" nor a quantity of bytes` };
  }
  if (askedBytes === entitled.limitBytes) return entitled;
  if (askedBytes > entitled.limitBytes && config.podOverrides === "Lower") {
    return { ...entitled, ignoredOverride: `${asked}: above the entitlement, only less may be asked for` };
  }
  return { limitBytes: askedBytes, reason: "pod-override" };
}

/** The first reason for which no container of this pod gets swap, whatever it asks for. */
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

/** The first reason for which this container's own memory request earns no swap. */
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

// The order of these float64 operations is the kubelet's (kuberuntime_container_linux.go:520-534): with another
// one, limits would differ from the kubelet's by a byte here and there.
function shareOfSwap(requestBytes: number, memoryTotalBytes: number, swapBytes: number): number {
  return Math.trunc((requestBytes / memoryTotalBytes) * swapBytes);
}
