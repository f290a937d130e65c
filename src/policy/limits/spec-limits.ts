// Several may have a word on memory.swap.max; this is who is heard first:
// 1. the annotation memory.swap.max.memory-qos.nri.io, where the node's configuration lists that file;
// 2. the annotation wasp.io/swap-limit, as far as podOverrides lets it, where wasp sets swap limits at all;
// 3. the class of memory QoS, which lets a container swap without a limit: whoever configured it bounds memory instead,
//    also for pods that LimitedSwap leaves out, such as Guaranteed ones;
// 4. swapBehavior, as in the hook.

import { formatLimit } from "../kubernetes/quantity.ts";
import { decideMemoryQos, type MemoryQosConfig, type MemoryQosDecision } from "../memory-qos/classes.ts";
import type { Unified } from "../memory-qos/files.ts";
import { swapByMemoryQos } from "./by-memory-qos.ts";
import type { Container, NodeCapacity, Reason } from "./container.ts";
import { type Classification, classifyOciContainer, type OciContainer } from "./oci-container.ts";
import { decideSwapLimit, type SwapLimitConfig } from "./swap-limit.ts";
import { swapOverrideOf } from "./swap-override.ts";

/** What NRI tells of a pod, as far as its containers' limits depend on it. */
export interface NriLimitsPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What NRI tells of a container, as far as its limits depend on it. */
export interface NriLimitsContainer extends Omit<OciContainer, "annotations"> {
  readonly name: string;
}

/** How swap is shared out: the node's, and by which knobs. */
export interface SwapSharing {
  readonly node: NodeCapacity;
  readonly config: SwapLimitConfig;
  /** The container as the kubelet or the API server tells of it, where that is known: its request is not guessed then. */
  readonly exact?: Container | undefined;
  /** What all pods together may swap, in bytes, and so each container at most; undefined for no such limit. */
  readonly nodeSwapLimitBytes?: number | undefined;
}

/** What a container is to have, and why. */
export interface NriLimits {
  readonly unified: Unified;
  readonly className: string | undefined;
  /** Why memory.swap.max is what it is, or is left alone; undefined where nobody has a word on it. */
  readonly swapReason: Reason | undefined;
  /** An annotation for wasp's swap limit that was not heeded, and what is wrong with it. */
  readonly ignoredOverride: string | undefined;
  readonly problems: MemoryQosDecision["problems"];
}

/** Decides what is written into a container's spec; without sharing, swap is left to memory QoS. */
export function decideNriLimits(
  pod: NriLimitsPod,
  container: NriLimitsContainer,
  memoryQos: MemoryQosConfig | undefined,
  sharing: SwapSharing | undefined,
): NriLimits {
  const { name, memoryLimitBytes } = container;
  const qos = decideMemoryQos(name, pod.annotations, memoryLimitBytes, memoryQos);
  const swap = decideSwap(pod, container, qos, sharing);
  const ofNodeBytes = sharing?.nodeSwapLimitBytes ?? Number.POSITIVE_INFINITY;
  const swapMax: Unified =
    swap.limitBytes === undefined
      ? {}
      : { "memory.swap.max": formatLimit(Math.min(swap.limitBytes, ofNodeBytes)) };
  return {
    unified: { ...qos.ofClass, ...qos.direct, ...swapMax },
    className: qos.className,
    swapReason: swap.reason,
    ignoredOverride: swap.ignoredOverride,
    problems: qos.problems,
  };
}

/** The same limits without those of swap, for a node whose kernel has no files for them: there no container would start. */
export function withoutSwap(limits: NriLimits): NriLimits {
  const others = Object.entries(limits.unified).filter(([file]) => !file.startsWith("memory.swap."));
  return { ...limits, unified: Object.fromEntries(others), swapReason: undefined };
}

/** What classifyOciContainer tells of a container that NRI tells of, which needs no runtime's annotations for it. */
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
    // Sandboxes do not come this way; and a pod that calls itself one must not get away with it.
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
