import type { QosClass } from "../kubernetes/pod-cgroup.ts";
import type { MemoryRequest } from "./oom-score-adj.ts";

/** Why wasp leaves a container's swap limit as it found it. */
export type LeaveReason =
  /** Not in a cgroup that the kubelet made. */
  | "not-kubernetes"
  /** The pod's own sandbox (pause) container. */
  | "sandbox"
  /** Its OCI config already carries a swap limit: the kubelet itself runs LimitedSwap. */
  | "kubelet-limited-swap"
  /** cgroup v1 limits swap only together with memory, and the container has no memory limit. */
  | "no-memory-limit";

/** Why a container gets no swap. */
export type NoSwapReason =
  | "swap-behavior"
  | "excluded-namespace"
  | "static"
  | "critical"
  | "guaranteed"
  | "best-effort"
  | "not-virtual-machine"
  | "no-memory-request"
  | "request-equals-limit"
  /** Only an interval of its memory request is known, and it reaches down to nothing. */
  | "request-unknown"
  | "request-above-capacity"
  | "no-swap-on-node";

/** Why a container gets the swap limit it gets. */
type GrantReason =
  | "limited-swap"
  | "unlimited-swap"
  | "pod-override"
  /** Its class of memory QoS bounds its memory, and leaves swap without a limit. */
  | "memory-qos-class"
  | "memory-qos-annotation";

/** Every reason that a swap decision can carry: the same word in the log, the metric label and the status table. */
export type Reason = LeaveReason | NoSwapReason | GrantReason;

/** What a swap decision has to know of a container and its pod. */
export interface Container {
  readonly namespace: string | undefined;
  readonly qosClass: QosClass;
  /** Static pods come from a file or URL of the node, not from the API server. */
  readonly isStatic: boolean;
  readonly isCritical: boolean;
  /** A KubeVirt virt-launcher pod. */
  readonly isVirtualMachine: boolean;
  readonly memoryRequest: MemoryRequest;
  /** In bytes; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  /** The value of the swap limit annotation that applies to this container, as the user wrote it. */
  readonly swapOverride: string | undefined;
}

/** The memory and the swap of a node, in bytes, as /proc/meminfo has them. */
export interface NodeCapacity {
  readonly memoryTotalBytes: number;
  readonly swapTotalBytes: number;
}
