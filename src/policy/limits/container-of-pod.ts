import { isCriticalPod, isStaticPod, type Pod, type PodContainer } from "../kubernetes/pod.ts";
import type { Container } from "./container.ts";
import { swapOverrideOf } from "./swap-override.ts";

/** Describes a container of a pod for a swap decision, with the exact memory request; undefined without a QoS class, or without a readable value. */
export function containerOfPod(pod: Pod, container: PodContainer): Container | undefined {
  if (pod.qosClass === undefined || container.isUnreadable) return undefined;
  return {
    namespace: pod.namespace,
    qosClass: pod.qosClass,
    isStatic: isStaticPod(pod),
    isCritical: isCriticalPod(pod),
    // kubevirt staging/src/kubevirt.io/api/core/v1/types.go:1130-1162
    isVirtualMachine: pod.labels["kubevirt.io"] === "virt-launcher",
    memoryRequest: { lowBytes: container.memoryRequestBytes, highBytes: container.memoryRequestBytes },
    memoryLimitBytes: container.memoryLimitBytes,
    swapOverride: swapOverrideOf(pod.annotations, container.name),
  };
}
