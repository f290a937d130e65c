import type { Pod } from "../kubernetes/pod.ts";
import { podsLimitBytes } from "./shortage.ts";
import type { Observation } from "./signals.ts";
import type { KubepodsSample, NodeSample, Snapshot } from "./snapshot.ts";
import { workingSetOf } from "./working-set.ts";

/** Computes the signals that one snapshot is enough for: use of memory and swap against their capacity. */
export function capacitySignals({ node, pods, kubepods }: Snapshot) {
  return {
    swapUtilization: swapUtilization(node),
    memoryOvercommit: memoryOvercommit(node),
    swapOvercommit: swapOvercommit(node),
    requestOvercommit: requestOvercommit(pods, node, kubepods),
    ...memoryAvailable(node, kubepods),
  } satisfies Partial<Observation>;
}

function swapUtilization({ swapTotalBytes, swapFreeBytes }: NodeSample): number | undefined {
  // Swap may be removed between two lines of /proc/meminfo.
  return swapTotalBytes <= 0 ? undefined : Math.max(0, swapTotalBytes - swapFreeBytes) / swapTotalBytes;
}

/** Memory and swap in use, as a fraction of the memory. */
function memoryOvercommit(node: NodeSample): number | undefined {
  const { memoryTotalBytes, memoryAvailableBytes, swapTotalBytes, swapFreeBytes } = node;
  if (memoryTotalBytes <= 0) return undefined;
  const swapUsedBytes = Math.max(0, swapTotalBytes - swapFreeBytes);
  return (memoryTotalBytes - memoryAvailableBytes + swapUsedBytes) / memoryTotalBytes;
}

/**
 * Use beyond the memory, as a fraction of the swap; negative if all would fit into memory. wasp-agent evicts above a
 * factor of it (its docs/configuration.md, SWAP_UTILIZATION_THRESHOLD_FACTOR).
 */
function swapOvercommit(node: NodeSample): number | undefined {
  const { memoryAvailableBytes, swapTotalBytes, swapFreeBytes } = node;
  if (swapTotalBytes <= 0) return undefined;
  return (Math.max(0, swapTotalBytes - swapFreeBytes) - memoryAvailableBytes) / swapTotalBytes;
}

/** Memory that pods can still use before the kernel reclaims: of the node, or of the kubepods cgroup's limits. */
function memoryAvailable(
  { memoryTotalBytes, memoryAvailableBytes }: NodeSample,
  kubepods: KubepodsSample | undefined,
): Pick<Observation, "memoryAvailable" | "memoryAvailableBytes"> {
  const limitBytes = podsLimitBytes(kubepods);
  const workingSetBytes = kubepods === undefined ? 0 : workingSetOf(kubepods);
  const leftBytes = Math.max(0, limitBytes - workingSetBytes);
  const nodeFraction = memoryTotalBytes > 0 ? memoryAvailableBytes / memoryTotalBytes : undefined;
  const podsFraction = Number.isFinite(limitBytes) && limitBytes > 0 ? leftBytes / limitBytes : undefined;
  return {
    memoryAvailable: nodeFraction === undefined ? podsFraction : Math.min(nodeFraction, podsFraction ?? 1),
    memoryAvailableBytes: Math.min(memoryAvailableBytes, leftBytes),
  };
}

/** Memory requests of all pods that have not finished, as a fraction of memory.max of kubepods or of the node's memory. */
function requestOvercommit(
  pods: readonly Pod[],
  node: NodeSample,
  kubepods: KubepodsSample | undefined,
): number | undefined {
  const allocatableBytes = Math.min(
    kubepods?.memoryMaxBytes ?? Number.POSITIVE_INFINITY,
    node.memoryTotalBytes,
  );
  if (allocatableBytes <= 0) return undefined;
  // The kubelet lists pods that it did not admit, too, and anyone who may create a pod may request anything.
  const requestedBytes = pods
    .filter(({ phase }) => phase !== "Succeeded" && phase !== "Failed")
    .flatMap(({ containers }) => containers)
    .reduce((sum, { memoryRequestBytes }) => sum + memoryRequestBytes, 0);
  return requestedBytes / allocatableBytes;
}
