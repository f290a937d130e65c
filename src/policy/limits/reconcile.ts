import type { Pod, PodContainer } from "../kubernetes/pod.ts";
import { decideMemoryQos, type MemoryQosConfig } from "../memory-qos/classes.ts";
import { swapByMemoryQos } from "./by-memory-qos.ts";
import type { NodeCapacity } from "./container.ts";
import { containerOfPod } from "./container-of-pod.ts";
import { decideSwapLimit, type SwapLimitConfig, type SwapLimitDecision } from "./swap-limit.ts";

/** A container as the kernel has it. */
export interface FoundContainer {
  readonly id: string;
  /** The UID in the name of its pod's cgroup. */
  readonly podUid: string;
  /** The limit in force, in bytes of swap; Infinity for none. */
  readonly effectiveBytes: number;
  /** What it has swapped out, in bytes. */
  readonly swapUsageBytes: number;
}

/** Why nothing is done about a container: what is not known is not guessed. */
export type HoldReason =
  /** No pod of that UID has been told of yet, or no longer. */
  | "pod-unknown"
  /** The pod's status does not name the container: its pause container, or one that has just been made. */
  | "container-unknown"
  /** The kubelet has not classified the pod yet. */
  | "qos-class-unknown"
  /** An annotation for memory QoS is wrong: whatever its container has, nothing is taken from it for that. */
  | "annotation-wrong";

/** What to do about one container's swap limit, and why. */
export type LimitFinding =
  | { readonly action: "hold"; readonly reason: HoldReason; readonly pod: Pod | undefined }
  | {
      readonly action: "keep" | "write";
      readonly pod: Pod;
      readonly containerName: string;
      readonly decision: SwapLimitDecision;
      /** What is to be in force: the decision's limit, or the node's if that is lower, in whole pages; Infinity for none. */
      readonly wantedBytes: number;
      /** More is swapped out than the limit allows: the kernel brings nothing back, so it holds for what comes. */
      readonly isBelowUsage: boolean;
    };

/** The pods of a node by the UID in the name of their cgroup. */
export type PodIndex = ReadonlyMap<string, Pod>;

/** Orders pods by the UIDs that their cgroups may be named by. */
export function indexPods(pods: readonly Pod[]): PodIndex {
  return new Map(pods.flatMap((pod) => cgroupUidsOf(pod).map((uid) => [uid, pod] as const)));
}

// A static pod's cgroup is named by the hash of its file, which is its UID to the kubelet. The API server shows its
// mirror, with a UID of its own and that hash in an annotation (kubernetes pkg/kubelet/pod/mirror_client.go:81).
function cgroupUidsOf(pod: Pod): string[] {
  const hash = pod.annotations["kubernetes.io/config.mirror"];
  return hash === undefined ? [pod.uid] : [pod.uid, hash];
}

/** The knobs of what containers are held to. */
export interface ReconcileConfig extends SwapLimitConfig {
  /** What all pods together may swap, in bytes; undefined for no such limit. */
  readonly nodeSwapLimitBytes?: number | undefined;
  /** What pods may ask for by annotations for memory QoS; undefined where nobody heeds those. */
  readonly memoryQos?: MemoryQosConfig | undefined;
}

/**
 * Compares the limit that a container is entitled to with the one in force. The kernel keeps limits in whole pages of
 * pageBytes, rounded down.
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

  const decision =
    swapByMemoryQos(qos, container.swapOverride, config) ?? decideSwapLimit(container, node, config);
  const ofNodeBytes = config.nodeSwapLimitBytes ?? Number.POSITIVE_INFINITY;
  const wantedBytes = wholePages(Math.min(decision.limitBytes, ofNodeBytes), pageBytes);
  return {
    action: found.effectiveBytes === wantedBytes ? "keep" : "write",
    pod,
    containerName: named.name,
    decision,
    wantedBytes,
    isBelowUsage: found.swapUsageBytes > wantedBytes,
  };
}

/** A limit as the kernel keeps it: in whole pages, rounded down; bytes, Infinity for none. */
export function wholePages(bytes: number, pageBytes: number): number {
  return bytes === Number.POSITIVE_INFINITY ? bytes : bytes - (bytes % pageBytes);
}
