/** A memory request in bytes of which only an interval is known; both ends are the same when it is known exactly. */
export interface MemoryRequest {
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** oom_score_adj of Guaranteed and node-critical containers (kubernetes pkg/kubelet/qos/policy.go:46-60). */
export const GUARANTEED_OOM_SCORE_ADJ = -997;

/** oom_score_adj range that the kubelet gives Burstable containers (kubernetes pkg/kubelet/qos/policy.go:110-119). */
const BURSTABLE_OOM_SCORE_ADJ = { min: 3, max: 999 } as const;

/**
 * Finds the memory requests, in bytes, for which the kubelet computes this oom_score_adj on a node of this capacity;
 * undefined when it is not one of a Burstable container.
 *
 * The kubelet computes `1000 - (1000 * request) / capacity` in whole numbers and folds the ends into 3 and 999
 * (kubernetes pkg/kubelet/qos/policy.go:84,110-119).
 */
export function invertOomScoreAdj(oomScoreAdj: number, memoryTotalBytes: number): MemoryRequest | undefined {
  const { min, max } = BURSTABLE_OOM_SCORE_ADJ;
  if (!Number.isInteger(oomScoreAdj) || oomScoreAdj < min || oomScoreAdj > max) return undefined;
  if (oomScoreAdj === min) {
    return { lowBytes: ceilThousandths(1000 - min, memoryTotalBytes), highBytes: memoryTotalBytes };
  }
  const thousandths = 1000 - oomScoreAdj;
  const lowBytes = oomScoreAdj === max ? 0 : ceilThousandths(thousandths, memoryTotalBytes);
  return { lowBytes, highBytes: ceilThousandths(thousandths + 1, memoryTotalBytes) - 1 };
}

// thousandths * bytes passes 2^53 on a node of 8 TiB, so the product is taken in two parts.
function ceilThousandths(thousandths: number, bytes: number): number {
  const rest = bytes % 1000;
  return ((bytes - rest) / 1000) * thousandths + Math.ceil((rest * thousandths) / 1000);
}

/**
 * The oom_score_adj that the kubelet gives a Burstable container with this memory request, in bytes
 * (kubernetes pkg/kubelet/qos/policy.go:84,110-119).
 */
export function oomScoreAdjOf(memoryRequestBytes: number, memoryTotalBytes: number): number {
  const { min, max } = BURSTABLE_OOM_SCORE_ADJ;
  // A thousand times 9 TiB passes 2^53.
  const thousandths = Number((1000n * BigInt(memoryRequestBytes)) / BigInt(memoryTotalBytes));
  return Math.max(min, Math.min(max, 1000 - thousandths));
}
