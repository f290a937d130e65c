import type { QosClass } from "./pod-cgroup.ts";

/** What decisions need of a pod, as the kubelet or the API server tells it. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `status.qosClass`; undefined while the kubelet has not written it. */
  readonly qosClass: QosClass | undefined;
  /** `spec.priority`; undefined where admission did not set it, as for static pods. */
  readonly priority: number | undefined;
  /** `status.phase`, such as `Running`; undefined while the kubelet has not written it. */
  readonly phase: string | undefined;
  /** Somebody has deleted it, and its grace period runs. */
  readonly isTerminating: boolean;
  /** The kind of its controller, such as `ReplicaSet`; undefined for a pod that nobody would make anew. */
  readonly ownerKind: string | undefined;
  readonly containers: readonly PodContainer[];
}

/** One container of a pod: regular, init, sidecar or ephemeral, which swap limits treat alike. */
export interface PodContainer {
  readonly name: string;
  /** The runtime's id without its scheme; undefined before the container was made. */
  readonly id: string | undefined;
  /** What the kubelet has allocated, in bytes; 0 without a request. */
  readonly memoryRequestBytes: number;
  /** In bytes; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
}

// kubernetes pkg/apis/scheduling/types.go:29-32
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

/**
 * Tells by the annotation `kubernetes.io/config.source` whether a pod comes from a file or URL of the node
 * (kubernetes pkg/kubelet/types/pod_update.go:102-109,151-155).
 */
export function isStaticSource(source: string | undefined): boolean {
  return source !== undefined && source !== "api";
}

/** Tells whether a pod comes from a file or URL of the node, as the kubelet itself tells of it. */
export function isStaticPod(pod: Pod): boolean {
  return isStaticSource(pod.annotations["kubernetes.io/config.source"]);
}

/**
 * Tells whether the kubelet holds a pod for critical: static, the mirror of a static one, or of a system priority
 * (kubernetes pkg/kubelet/types/pod_update.go:142-169,186-188).
 */
export function isCriticalPod(pod: Pod): boolean {
  const isMirror = pod.annotations["kubernetes.io/config.mirror"] !== undefined;
  return isStaticPod(pod) || isMirror || (pod.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
}
