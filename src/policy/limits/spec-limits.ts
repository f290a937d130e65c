// Sources of memory.swap.max, by precedence:
// 1. the annotation memory.swap.max.memory-qos.nri.io, if the node's configuration lists that file;
// 2. the annotation wasp.io/swap-limit, as far as podOverrides allows, if wasp sets swap limits at all;
// 3. the class of memory QoS, which leaves swap unlimited because its memory.high limits memory instead, also for pods that
//    LimitedSwap excludes, such as Guaranteed ones;
// 4. swapBehavior, as in the hook.

import { formatLimit } from "../kubernetes/quantity.ts";
import { decideMemoryQos, type MemoryQosConfig, type MemoryQosDecision } from "../memory-qos/classes.ts";
import type { Unified } from "../memory-qos/files.ts";
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
  readonly node: NodeCapacity;
  readonly config: SwapLimitConfig;
  /**
   * Container as the kubelet or the API server describes it, with the exact memory request; undefined while it is
   * unknown.
   */
  readonly exact?: Container | undefined;
  /** Swap limit of all pods together, in bytes, and so the maximum for each container; undefined for none. */
  readonly nodeSwapLimitBytes?: number | undefined;
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

/** Decides the values to write into a container's spec; without sharing, only memory QoS sets swap. */
export function decideNriLimits(
  pod: NriLimitsPod,
  container: NriLimitsContainer,
  memoryQos: MemoryQosConfig | undefined,
  sharing: SwapSharing | undefined,
): NriLimits {
  const { name, memoryLimitBytes } = container;
  const qos = decideMemoryQos(name, pod.annotations, memoryLimitBytes, memoryQos);
  const swap = decideSwap(pod, container, qos, sharing);
  const nodeLimitBytes = sharing?.nodeSwapLimitBytes ?? Number.POSITIVE_INFINITY;
  const swapMax: Unified =
    swap.limitBytes === undefined
      ? {}
      : { "memory.swap.max": formatLimit(Math.min(swap.limitBytes, nodeLimitBytes)) };
  return {
    unified: { ...qos.ofClass, ...qos.direct, ...swapMax },
    className: qos.className,
    swapReason: swap.reason,
    ignoredOverride: swap.ignoredOverride,
    problems: qos.problems,
  };
}

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
  const asked = swapOverrideOf(pod.annotations, container.name);
  const byMemoryQos = swapByMemoryQos(qos, asked, sharing?.config);
  if (byMemoryQos !== undefined) return byMemoryQos;
  if (sharing === undefined) return {};
  const { exact } = sharing;
  if (exact !== undefined) return decideSwapLimit(exact, sharing.node, sharing.config);
  const classified = classifyNriContainer(pod, container, sharing.node);
  if ("leave" in classified) return { reason: classified.leave };
  return decideSwapLimit(classified.container, sharing.node, sharing.config);
}
