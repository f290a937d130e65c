import type { QosClass } from "./pod-cgroup.ts";

/** Pod as the kubelet or the API server describes it, with the fields that decisions depend on. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `status.qosClass`; undefined until the kubelet has set it. */
  readonly qosClass: QosClass | undefined;
  /** `spec.priority`; undefined where admission did not set it, as for static pods. */
  readonly priority: number | undefined;
  /** `status.phase`, such as `Running`; undefined until the kubelet has set it. */
  readonly phase: string | undefined;
  /** True after the pod's deletion, while its grace period runs. */
  readonly isTerminating: boolean;
  /** Kind of its controller, such as `ReplicaSet`; undefined for a pod that no controller would recreate. */
  readonly ownerKind: string | undefined;
  readonly containers: readonly PodContainer[];
}

/** Container of a pod: regular, init, sidecar or ephemeral, which swap limits treat alike. */
export interface PodContainer {
  readonly name: string;
  /** Id in the runtime, without its scheme; undefined before the container is created. */
  readonly id: string | undefined;
  /** Request that the kubelet has allocated, in bytes; 0 without a request. */
  readonly memoryRequestBytes: number;
  /** In bytes; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined;
  /** True while its status says that it runs, which may be out of date. */
  readonly isRunning?: boolean | undefined;
  /** True if a value that its swap limit depends on is not what Kubernetes defines: no limit is decided for it. */
  readonly isUnreadable?: boolean | undefined;
}

// kubernetes pkg/apis/scheduling/types.go:29-32
const SYSTEM_CRITICAL_PRIORITY = 2_000_000_000;

/**
 * Returns true if the annotation `kubernetes.io/config.source` names a file or URL of the node (kubernetes
 * pkg/kubelet/types/pod_update.go:102-109,151-155).
 */
export function isStaticSource(source: string | undefined): boolean {
  return source !== undefined && source !== "api";
}

/**
 * Returns true if a UID is the hash of a static pod's manifest, 32 hexadecimal digits without dashes (kubernetes
 * pkg/kubelet/config/common.go, applyDefaults); the API server's UIDs have dashes.
 */
export function isHashUid(uid: string): boolean {
  return uid.length === HASH_LENGTH && !uid.includes("-");
}

const HASH_LENGTH = 32;

/** Returns true if a pod, as the kubelet describes it, comes from a file or URL of the node. */
export function isStaticPod(pod: Pod): boolean {
  return isStaticSource(pod.annotations["kubernetes.io/config.source"]);
}

/**
 * Returns true for KubeVirt's pod of a virtual machine: its label (kubevirt staging/src/kubevirt.io/api/core/v1/types.go:1130-1162)
 * can be written by anyone, so that its controller counts too.
 */
export function isVirtualMachinePod(pod: Pod): boolean {
  return pod.labels["kubevirt.io"] === "virt-launcher" && pod.ownerKind === "VirtualMachineInstance";
}

/**
 * Returns true if the kubelet considers a pod critical: static, the mirror of a static one, or of a system priority
 * (kubernetes pkg/kubelet/types/pod_update.go:142-169,186-188).
 */
export function isCriticalPod(pod: Pod): boolean {
  const isMirror = pod.annotations["kubernetes.io/config.mirror"] !== undefined;
  return isStaticPod(pod) || isMirror || (pod.priority ?? 0) >= SYSTEM_CRITICAL_PRIORITY;
}
