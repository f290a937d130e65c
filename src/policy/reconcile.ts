import type { NodeCapacity } from "./container.ts";
import { containerOfPod, type Pod, type PodContainer } from "./pod.ts";
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
  | "qos-class-unknown";

/** What to do about one container's swap limit, and why. */
export type Finding =
  | { readonly action: "hold"; readonly found: FoundContainer; readonly reason: HoldReason }
  | {
      readonly action: "keep" | "write";
      readonly found: FoundContainer;
      readonly pod: Pod;
      readonly containerName: string;
      readonly decision: SwapLimitDecision;
      /** More is swapped out than the limit allows: the kernel brings nothing back, so it holds for what comes. */
      readonly isBelowUsage: boolean;
    };

/**
 * Compares the limit that each container is entitled to with the one in force. The kernel keeps limits in whole pages
 * of pageBytes, rounded down.
 */
export function reconcile(
  pods: readonly Pod[],
  found: readonly FoundContainer[],
  node: NodeCapacity,
  config: SwapLimitConfig,
  pageBytes: number,
): Finding[] {
  const podsByUid = new Map(pods.flatMap((pod) => cgroupUidsOf(pod).map((uid) => [uid, pod] as const)));
  return found.map((container) =>
    findingOf(container, podsByUid.get(container.podUid), node, config, pageBytes),
  );
}

// A static pod's cgroup is named by the hash of its file, which is its UID to the kubelet. The API server shows its
// mirror, with a UID of its own and that hash in an annotation (kubernetes pkg/kubelet/pod/mirror_client.go:81).
function cgroupUidsOf(pod: Pod): string[] {
  const hash = pod.annotations["kubernetes.io/config.mirror"];
  return hash === undefined ? [pod.uid] : [pod.uid, hash];
}

function findingOf(
  found: FoundContainer,
  pod: Pod | undefined,
  node: NodeCapacity,
  config: SwapLimitConfig,
  pageBytes: number,
): Finding {
  const hold = (reason: HoldReason): Finding => ({ action: "hold", found, reason });
  if (pod === undefined) return hold("pod-unknown");
  const named: PodContainer | undefined = pod.containers.find(({ id }) => id === found.id);
  if (named === undefined) return hold("container-unknown");
  const container = containerOfPod(pod, named);
  if (container === undefined) return hold("qos-class-unknown");

  const decision = decideSwapLimit(container, node, config);
  const inForceBytes = wholePages(decision.limitBytes, pageBytes);
  return {
    action: found.effectiveBytes === inForceBytes ? "keep" : "write",
    found,
    pod,
    containerName: named.name,
    decision,
    isBelowUsage: found.swapUsageBytes > inForceBytes,
  };
}

function wholePages(bytes: number, pageBytes: number): number {
  return bytes === Number.POSITIVE_INFINITY ? bytes : bytes - (bytes % pageBytes);
}
