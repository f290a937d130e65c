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
  /** An annotation for memory QoS is invalid, so the container keeps its current limit. */
  | "annotation-wrong";

/** Action on one container's swap limit, with its reason. */
export type LimitFinding =
  | { readonly action: "hold"; readonly reason: HoldReason; readonly pod: Pod | undefined }
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
  const named: PodContainer | undefined = pod.containers.find(({ id }) => id === found.id);
  if (named === undefined) return { action: "hold", reason: "container-unknown", pod };
  const container = containerOfPod(pod, named);
  if (container === undefined) return { action: "hold", reason: "qos-class-unknown", pod };

  const qos = decideMemoryQos(named.name, pod.annotations, named.memoryLimitBytes, config.memoryQos);
  if (qos.problems.length > 0) return { action: "hold", reason: "annotation-wrong", pod };

  const entitled = decideSwapLimit({ ...container, swapOverride: undefined }, node, config);
  const decision =
    swapByMemoryQos(qos, container, { config, entitled }) ?? decideSwapLimit(container, node, config);
  const nodeLimitBytes = config.nodeSwapLimitBytes ?? Number.POSITIVE_INFINITY;
  const wantedBytes = wholePages(Math.min(decision.limitBytes, nodeLimitBytes), pageBytes);
  return {
    action: found.effectiveBytes === wantedBytes ? "keep" : "write",
    pod,
    containerName: named.name,
    decision,
    wantedBytes,
    isBelowUsage: found.swapUsageBytes > wantedBytes,
  };
}

/** Rounds a limit down to whole pages, as the kernel does; in bytes, Infinity for none. */
export function wholePages(bytes: number, pageBytes: number): number {
  return bytes === Number.POSITIVE_INFINITY ? bytes : bytes - (bytes % pageBytes);
}
