/** The fields that wasp sets in a KubeletConfiguration: never swapBehavior, because wasp itself limits swap. */
export interface KubeletConfigPatch {
  readonly failSwapOn: false;
  readonly evictionSoft?: { readonly "memory.available": string };
  readonly evictionSoftGracePeriod?: { readonly "memory.available": string };
}

// As in the OpenShift document for higher workload density: it is reached before the hard threshold.
const DEFAULT_SOFT_THRESHOLD = "1Gi";
const GRACE_PERIOD = "10s";

// On a node with less memory, the default threshold would take too much of it from the pods.
const SMALL_NODE_BYTES = 10 * 2 ** 30;
const SMALL_NODE_SOFT_THRESHOLD = "10%";

/**
 * Returns all fields that wasp sets for a kubelet without settings of its own; `memoryTotalBytes` is the node's memory,
 * undefined where it is not known.
 */
export function kubeletConfigPatch(
  evictionSoft: string,
  memoryTotalBytes: number | undefined,
): KubeletConfigPatch {
  if (evictionSoft === "Off") return { failSwapOn: false };
  const threshold = evictionSoft === "Auto" ? softThresholdFor(memoryTotalBytes) : evictionSoft;
  return {
    failSwapOn: false,
    evictionSoft: { "memory.available": threshold },
    evictionSoftGracePeriod: { "memory.available": GRACE_PERIOD },
  };
}

function softThresholdFor(memoryTotalBytes: number | undefined): string {
  const isSmall = memoryTotalBytes !== undefined && memoryTotalBytes < SMALL_NODE_BYTES;
  return isSmall ? SMALL_NODE_SOFT_THRESHOLD : DEFAULT_SOFT_THRESHOLD;
}
