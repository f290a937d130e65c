import type { QosClass } from "../kubernetes/pod-cgroup.ts";
import type { MemoryRequest } from "./oom-score-adj.ts";

/** Reason for which wasp leaves a container's swap limit unchanged. */
export type LeaveReason =
  /** The container is not in a cgroup of the kubelet's. */
  | "not-kubernetes"
  /** The container is the pod's sandbox (pause container). */
  | "sandbox"
  /** Its swap limit is the kubelet's, which itself runs LimitedSwap. */
  | "kubelet-limited-swap"
  /** wasp's NRI plugin has put the limit into its OCI config. */
  | "nri-limit"
  /** Its OCI config carries a limit that the kubelet never writes: another program's, such as another NRI plugin's. */
  | "limit-in-spec"
  /** cgroup v1 limits swap only together with memory, and the container has no memory limit. */
  | "no-memory-limit";

/** Reason for which a container gets no swap. */
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
  /** The memory request is only known as an interval, which begins at 0. */
  | "request-unknown"
  | "request-above-capacity"
  | "no-swap-on-node";

/** Reason for which a container gets its swap limit. */
type GrantReason =
  | "limited-swap"
  | "unlimited-swap"
  | "pod-override"
  /** Containers of one sandbox, which the kernel does not know apart, have a limit together. */
  | "pod-sandbox"
  /** Its class of memory QoS limits its memory and leaves swap unlimited. */
  | "memory-qos-class"
  | "memory-qos-annotation";

/** All reasons of a swap decision: the same tag in the log, the metric label and the status table. */
export type Reason = LeaveReason | NoSwapReason | GrantReason;

/** Properties of a container and its pod that a swap decision depends on. */
export interface Container {
  readonly namespace: string | undefined;
  readonly qosClass: QosClass;
  /** Static pods come from a file or URL of the node, not from the API server. */
  readonly isStatic: boolean;
  readonly isCritical: boolean;
  /** True for a container of KubeVirt's virt-launcher pod. */
  readonly isVirtualMachine: boolean;
  readonly memoryRequest: MemoryRequest;
  /** In bytes; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  /** Value of the swap limit annotation that applies to this container, as written in the pod. */
  readonly swapOverride: string | undefined;
}

/** Memory and swap of a node, in bytes, from /proc/meminfo. */
export interface NodeCapacity {
  readonly memoryTotalBytes: number;
  readonly swapTotalBytes: number;
}
