import type { Pod, PodContainer } from "../kubernetes/pod.ts";
import { decideMemoryQos, type MemoryQosConfig } from "../memory-qos/classes.ts";
import { swapByMemoryQos } from "./by-memory-qos.ts";
import type { NodeCapacity } from "./container.ts";
import { containerOfPod } from "./container-of-pod.ts";
import { decideSwapLimit, type SwapLimitConfig, type SwapLimitDecision } from "./swap-limit.ts";

/** Container as found in the cgroup tree. */
export interface FoundContainer {
  readonly id: string;
  /** UID in the name of its pod's cgroup. */
  readonly podUid: string;
  /** True for the cgroup of a whole pod, whose containers run in one sandbox. */
  readonly isSandbox?: boolean | undefined;
  /** Effective swap limit in bytes; Infinity for none. */
  readonly effectiveBytes: number;
  /** Swap usage in bytes. */
  readonly swapUsageBytes: number;
}

/** Reason for which a container is left alone: wasp never acts on a guess. */
export type HoldReason =
  /** No pod with that UID is in the kubelet's list, either not yet or no longer. */
  | "pod-unknown"
  /** The pod's status does not name the container: a pause container, or one that is just being created. */
  | "container-unknown"
  /** The kubelet has not set the pod's QoS class yet. */
  | "qos-class-unknown"
  /** A value of the pod that the limit depends on is unreadable, such as a negative memory request. */
  | "value-unreadable"
  /** An annotation for memory QoS is invalid, so the container keeps its current limit. */
  | "annotation-wrong";

/** Action on one container's swap limit, with its reason. */
export type LimitFinding =
  | {
      readonly action: "hold";
      readonly reason: HoldReason;
      readonly pod: Pod | undefined;
      /** Undefined while the pod's status does not name the container. */
      readonly containerName?: string;
    }
  | {
      readonly action: "keep" | "write";
      readonly pod: Pod;
      readonly containerName: string;
      readonly decision: SwapLimitDecision;
      /** Limit to write: that of the decision, or the node's if it is lower, in whole pages; Infinity for none. */
      readonly wantedBytes: number;
      /**
       * Swap usage exceeds the limit: the kernel swaps nothing in for that, so the limit only stops further swap-out.
       */
      readonly isBelowUsage: boolean;
    };

/** Finding for a container whose limit is decided. */
export type DecidedFinding = Exclude<LimitFinding, { action: "hold" }>;

/** Pods of a node by the UID in the name of their cgroup. */
export type PodIndex = ReadonlyMap<string, Pod>;

/** Indexes pods by the UIDs that can be in the names of their cgroups. */
export function indexPods(pods: readonly Pod[]): PodIndex {
  // A pod's own UID comes last, and so prevails: anyone who may create a pod may give it another pod's UID as its hash.
  return new Map([...pods.flatMap(mirroredEntry), ...pods.map((pod) => [pod.uid, pod] as const)]);
}

// A static pod's cgroup is named after the hash of its manifest, which is its UID for the kubelet. The API server has
// its mirror pod, with another UID and that hash in an annotation (kubernetes pkg/kubelet/pod/mirror_client.go:81).
function mirroredEntry(pod: Pod): (readonly [string, Pod])[] {
  const hash = pod.annotations["kubernetes.io/config.mirror"];
  return hash === undefined ? [] : [[hash, pod]];
}

/** Knobs of the agent's swap limits. */
export interface ReconcileConfig extends SwapLimitConfig {
  /** Swap limit of all pods together, in bytes; undefined for none. */
  readonly nodeSwapLimitBytes?: number | undefined;
  /** Classes and files that annotations for memory QoS may name; undefined where memory QoS is off. */
  readonly memoryQos?: MemoryQosConfig | undefined;
}

/**
 * Compares the limit that a container is entitled to with the effective one. The kernel rounds limits down to whole
 * pages of pageBytes.
 */
export function reconcile(
  found: FoundContainer,
  pods: PodIndex,
  node: NodeCapacity,
  config: ReconcileConfig,
  pageBytes: number,
): LimitFinding {
  const pod = pods.get(found.podUid);
  if (pod === undefined) return { action: "hold", reason: "pod-unknown", pod };
  const [of, ...others] = found.isSandbox
    ? pod.containers.filter(({ isRunning }) => isRunning)
    : pod.containers.filter(({ id }) => id === found.id);
  if (of === undefined) return { action: "hold", reason: "container-unknown", pod };
  const containerName = [of, ...others].map(({ name }) => name).join(",");
  const decision = found.isSandbox
    ? decideSandbox(pod, [of, ...others], node, config, pageBytes)
    : decideContainer(pod, of, node, config);
  if (typeof decision === "string") return { action: "hold", reason: decision, pod, containerName };

  const nodeLimitBytes = config.nodeSwapLimitBytes ?? Number.POSITIVE_INFINITY;
  const wantedBytes = wholePages(Math.min(decision.limitBytes, nodeLimitBytes), pageBytes);
  return {
    action: found.effectiveBytes === wantedBytes ? "keep" : "write",
    pod,
    containerName,
    decision,
    wantedBytes,
    isBelowUsage: found.swapUsageBytes > wantedBytes,
  };
}

/** Returns the limit that a container is entitled to, or the reason for which it is held. */
function decideContainer(
  pod: Pod,
  named: PodContainer,
  node: NodeCapacity,
  config: ReconcileConfig,
): SwapLimitDecision | HoldReason {
  if (named.isUnreadable) return "value-unreadable";
  const container = containerOfPod(pod, named);
  if (container === undefined) return "qos-class-unknown";
  const qos = decideMemoryQos(named.name, pod.annotations, named.memoryLimitBytes, config.memoryQos);
  if (qos.problems.length > 0) return "annotation-wrong";
  const own = decideSwapLimit(container, node, config);
  const isAsked = container.swapOverride !== undefined;
  const entitled = isAsked ? decideSwapLimit({ ...container, swapOverride: undefined }, node, config) : own;
  return swapByMemoryQos(qos, container, { config, entitled }) ?? own;
}

/**
 * Returns the limit of a pod whose containers run in one sandbox (gVisor, Kata Containers), where the kernel does not know
 * them apart: what they are entitled to together. It is never more than the containers would have had alone.
 */
function decideSandbox(
  pod: Pod,
  running: readonly [PodContainer, ...PodContainer[]],
  node: NodeCapacity,
  config: ReconcileConfig,
  pageBytes: number,
): SwapLimitDecision | HoldReason {
  let limitBytes = 0;
  for (const container of running) {
    const decision = decideContainer(pod, container, node, config);
    if (typeof decision === "string") return decision;
    limitBytes += wholePages(decision.limitBytes, pageBytes);
    // A pod without swap says why.
    if (running.length === 1 && decision.limitBytes === 0) return decision;
  }
  return { limitBytes, reason: "pod-sandbox" };
}

/** Rounds a limit down to whole pages, as the kernel does; in bytes, Infinity for none. */
export function wholePages(bytes: number, pageBytes: number): number {
  return bytes === Number.POSITIVE_INFINITY ? bytes : bytes - (bytes % pageBytes);
}
