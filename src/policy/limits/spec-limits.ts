// Sources of memory.swap.max, by precedence:
// 1. the annotation memory.swap.max.memory-qos.nri.io, if the node's configuration lists that file;
// 2. the annotation wasp.io/swap-limit, as far as podOverrides allows, if wasp sets swap limits at all;
// 3. the class of memory QoS, whose memory.high limits memory instead, also for pods that LimitedSwap excludes, such as
//    Guaranteed ones;
// 4. swapBehavior, as in the hook.
// The first and the third keep to podOverrides, excludeNamespaces and NoSwap (by-memory-qos.ts).

import { formatLimit, parseLimit } from "../kubernetes/quantity.ts";
import { decideMemoryQos, type MemoryQosConfig, type MemoryQosDecision } from "../memory-qos/classes.ts";
import type { Unified } from "../memory-qos/files.ts";
import { fitHighToSwap } from "../memory-qos/high.ts";
import { swapByMemoryQos } from "./by-memory-qos.ts";
import type { Container, NodeCapacity, Reason } from "./container.ts";
import { type Classification, classifyOciContainer, type OciContainer } from "./oci-container.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";
import { swapOverrideOf } from "./swap-override.ts";

/** Properties of a pod in NRI that its containers' limits depend on. */
export interface NriLimitsPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Properties of a container in NRI that its limits depend on. */
export interface NriLimitsContainer extends Omit<OciContainer, "annotations"> {
  readonly name: string;
}

/** Distribution of the node's swap: its capacity and the knobs. */
export interface SwapSharing {
  /** Undefined while it is unknown, or the kubelet shares out the swap: then only annotations for memory QoS set limits. */
  readonly node: NodeCapacity | undefined;
  readonly config: SwapLimitConfig;
  /**
   * Container as the kubelet or the API server describes it, with the exact memory request; undefined while it is
   * unknown.
   */
  readonly exact?: Container | undefined;
}

/** Limits of a container, with their reasons. */
export interface NriLimits {
  readonly unified: Unified;
  readonly className: string | undefined;
  /** Reason for the value of memory.swap.max, or for leaving it alone; undefined where nothing sets it. */
  readonly swapReason: Reason | undefined;
  /** Annotation for wasp's swap limit that was ignored, with the reason. */
  readonly ignoredOverride: string | undefined;
  readonly problems: MemoryQosDecision["problems"];
}

/**
 * Decides the values to write into a container's spec; without sharing, only memory QoS sets swap. nodeSwapLimitBytes is
 * the swap limit of all pods together, and so the maximum for each container.
 */
export function decideNriLimits(
  pod: NriLimitsPod,
  container: NriLimitsContainer,
  memoryQos: MemoryQosConfig | undefined,
  sharing: SwapSharing | undefined,
  nodeSwapLimitBytes = Number.POSITIVE_INFINITY,
): NriLimits {
  const { name, memoryLimitBytes } = container;
  const qos = decideMemoryQos(name, pod.annotations, memoryLimitBytes, memoryQos);
  const swap = decideSwap(pod, container, qos, sharing);
  const { "memory.swap.max": _, ...direct } = qos.direct;
  const { "memory.swap.max": __, ...ofClass } = qos.ofClass;
  // Where wasp leaves the limit alone, it is the one in the spec.
  const specBytes = parseLimit(String(container.unified["memory.swap.max"])) ?? 0;
  const swapBytes = Math.min(swap.limitBytes ?? specBytes, nodeSwapLimitBytes);
  const swapMax: Unified = swap.limitBytes === undefined ? {} : { "memory.swap.max": formatLimit(swapBytes) };
  return {
    unified: { ...fitHighToSwap(ofClass, memoryLimitBytes, swapBytes), ...direct, ...swapMax },
    className: qos.className,
    swapReason: swap.reason,
    ignoredOverride: swap.ignoredOverride,
    problems: qos.problems,
  };
}

/** Returns true for an annotation that decideNriLimits reads. */
export function isReadAnnotation(name: string): boolean {
  return READ_ANNOTATIONS.some((part) => name.includes(part));
}

// Those of memory QoS, of the swap limit, of the kubelet on a static pod, and of KubeVirt.
const READ_ANNOTATIONS = [".memory-qos.nri.io", "wasp.io/", "kubernetes.io/config.", "kubevirt.io/"];

/** Removes the limits of swap, for a node whose kernel lacks their files: no container would start there. */
export function withoutSwap(limits: NriLimits): NriLimits {
  const others = Object.entries(limits.unified).filter(([file]) => !file.startsWith("memory.swap."));
  return { ...limits, unified: Object.fromEntries(others), swapReason: undefined };
}

/** Classifies a container in NRI as classifyOciContainer does, without annotations of the runtime. */
export function classifyNriContainer(
  pod: NriLimitsPod,
  container: NriLimitsContainer,
  node: NodeCapacity,
): Classification {
  const { namespace, labels } = pod;
  const annotations = {
    ...pod.annotations,
    "io.kubernetes.pod.namespace": namespace,
    "io.kubernetes.container.name": container.name,
    // Sandboxes are handled elsewhere, and a pod cannot pass its container off as one.
    "io.kubernetes.cri-o.ContainerType": "container",
  };
  const classified = classifyOciContainer({ ...container, annotations }, node);
  if ("leave" in classified || labels["kubevirt.io"] !== "virt-launcher") return classified;
  return { ...classified, container: { ...classified.container, isVirtualMachine: true } };
}

interface SpecSwapLimit {
  /** Infinity for no limit; undefined where memory.swap.max is left alone. */
  readonly limitBytes?: number;
  readonly reason?: Reason;
  readonly ignoredOverride?: string;
}

function decideSwap(
  pod: NriLimitsPod,
  container: NriLimitsContainer,
  qos: MemoryQosDecision,
  sharing: SwapSharing | undefined,
): SpecSwapLimit {
  const swapOverride = swapOverrideOf(pod.annotations, container.name);
  const subject = { namespace: pod.namespace, swapOverride };
  if (sharing === undefined) return swapByMemoryQos(qos, subject, undefined) ?? {};
  const { node, config } = sharing;
  if (node === undefined) return swapByMemoryQos(qos, subject, { config, entitled: undefined }) ?? {};
  const classified =
    sharing.exact === undefined ? classifyNriContainer(pod, container, node) : { container: sharing.exact };
  if ("leave" in classified)
    return swapByMemoryQos(qos, subject, { config, entitled: undefined }) ?? { reason: classified.leave };
  const entitled = decideSwapLimit({ ...classified.container, swapOverride: undefined }, node, config);
  const byMemoryQos = swapByMemoryQos(qos, subject, { config, entitled });
  return byMemoryQos ?? decideSwapLimit(classified.container, node, config);
}
