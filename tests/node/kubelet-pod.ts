import type { QosClass } from "../../src/policy/kubernetes/pod-cgroup.ts";
import type { OciContainer } from "../../src/policy/limits/oci-container.ts";
import { kubeletOomScoreAdj, kubeletSwapLimit } from "./kubelet.ts";

/** Container of a pod's spec; sizes in bytes, 0 for none. */
export interface SpecContainer {
  readonly kind: "regular" | "init" | "sidecar";
  readonly requestBytes: number;
  readonly limitBytes: number;
}

/** Pod's spec, as far as the kubelet's limits of swap depend on it; sizes in bytes. */
export interface PodSpec {
  readonly containers: readonly SpecContainer[];
  /** Pod-level requests and limits; undefined without them. */
  readonly podLevel: { readonly requestBytes: number; readonly limitBytes: number } | undefined;
  readonly priorityClass: "none" | "system-cluster-critical" | "system-node-critical";
  readonly isStatic: boolean;
  /** False for a runtime that does not hand the pod's annotations on. */
  readonly hasSource: boolean;
}

/** Memory and swap of the node, in bytes. */
interface Node {
  readonly memoryTotalBytes: number;
  readonly swapTotalBytes: number;
}

/** Returns the kubelet's QoS class of a pod (kubernetes pkg/apis/core/v1/helper/qos/qos.go), as if CPU were like memory. */
export function qosClassOf({ containers, podLevel }: PodSpec): QosClass {
  const all = podLevel === undefined ? containers : [podLevel];
  if (all.every(({ requestBytes, limitBytes }) => requestBytes === 0 && limitBytes === 0))
    return "BestEffort";
  const isEqual = ({ requestBytes, limitBytes }: { requestBytes: number; limitBytes: number }) =>
    limitBytes > 0 && requestBytes === limitBytes;
  return all.every(isEqual) ? "Guaranteed" : "Burstable";
}

/**
 * Returns the kubelet's LimitedSwap limit of a container in bytes (kubernetes
 * pkg/kubelet/kuberuntime/kuberuntime_container_linux.go:234-257,520-534).
 */
export function kubeletLimitOf(pod: PodSpec, container: SpecContainer, node: Node): number {
  const { requestBytes, limitBytes } = container;
  if (pod.isStatic || pod.priorityClass !== "none" || qosClassOf(pod) !== "Burstable") return 0;
  if ((requestBytes === 0 && limitBytes === 0) || requestBytes === limitBytes) return 0;
  if (requestBytes > node.memoryTotalBytes) return 0;
  return kubeletSwapLimit(requestBytes, node.memoryTotalBytes, node.swapTotalBytes);
}

/** Returns a container's OCI config as kubelet and runtime write it. */
export function ociConfigOf(pod: PodSpec, container: SpecContainer, node: Node): OciContainer {
  const uid = pod.isStatic ? "74c1ca1ffd079a8c2b1d59f08ded8b15" : "403f7dc8_a1f6_4e91_b1db_3419c15315d9";
  const qosClass = qosClassOf(pod);
  const slice = qosClass === "Guaranteed" ? "kubepods" : `kubepods-${qosClass.toLowerCase()}`;
  return {
    cgroupsPath: `${slice}-pod${uid}.slice:crio:abc`,
    oomScoreAdj: oomScoreAdjOf(pod, container, node),
    annotations: pod.hasSource ? { "kubernetes.io/config.source": pod.isStatic ? "file" : "api" } : {},
    // Without a limit of its own a container has the pod's (kuberuntime_container_linux.go, getMemoryLimit).
    memoryLimitBytes: container.limitBytes || pod.podLevel?.limitBytes,
    unified: { "memory.swap.max": "0" },
  };
}

/** Returns the kubelet's oom_score_adj of a container (kubernetes pkg/kubelet/qos/policy.go:45-120, qos/helpers.go:29-71). */
function oomScoreAdjOf(pod: PodSpec, container: SpecContainer, { memoryTotalBytes }: Node): number {
  const qosClass = qosClassOf(pod);
  if (pod.priorityClass === "system-node-critical" || qosClass === "Guaranteed") return -997;
  if (qosClass === "BestEffort") return 1000;
  const restBytes = podLevelRest(pod);
  const own = kubeletOomScoreAdj(container.requestBytes + restBytes, memoryTotalBytes);
  if (container.kind !== "sidecar") return own;
  return Math.min(own, kubeletOomScoreAdj(leastRegularRequest(pod) + restBytes, memoryTotalBytes));
}

/** Returns the smallest request of the regular containers, in bytes. */
export function leastRegularRequest({ containers }: PodSpec): number {
  const regular = containers.filter(({ kind }) => kind === "regular");
  return Math.min(...regular.map(({ requestBytes }) => requestBytes));
}

/** Returns each container's part of what the pod's own request exceeds its containers' by, in bytes. */
export function podLevelRest({ containers, podLevel }: PodSpec): number {
  if (podLevel === undefined) return 0;
  const sumBytes = containers.reduce((sum, { requestBytes }) => sum + requestBytes, 0);
  return Math.max(0, Math.trunc((podLevel.requestBytes - sumBytes) / containers.length));
}
