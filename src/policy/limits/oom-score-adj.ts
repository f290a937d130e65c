/** Interval of a memory request, in bytes; both ends are equal for an exact request. */
export interface MemoryRequest {
  readonly lowBytes: number;
  readonly highBytes: number;
}

/** oom_score_adj of Guaranteed and node-critical containers (kubernetes pkg/kubelet/qos/policy.go:46-60). */
export const GUARANTEED_OOM_SCORE_ADJ = -997;

/** Range of oom_score_adj for Burstable containers (kubernetes pkg/kubelet/qos/policy.go:110-119). */
const BURSTABLE_OOM_SCORE_ADJ = { min: 3, max: 999 } as const;

/**
 * Computes the memory requests, in bytes, for which the kubelet sets this oom_score_adj on a node of this capacity;
 * undefined if it is not that of a Burstable container.
 *
 * The kubelet computes `1000 - (1000 * request) / capacity` in integers and clamps the result to 3 to 999 (kubernetes
 * pkg/kubelet/qos/policy.go:84,110-119).
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

// thousandths * bytes exceeds 2^53 on a node of 8 TiB, so the product is computed in two parts.
function ceilThousandths(thousandths: number, bytes: number): number {
  const rest = bytes % 1000;
  return ((bytes - rest) / 1000) * thousandths + Math.ceil((rest * thousandths) / 1000);
}

/**
 * Computes the oom_score_adj of a Burstable container with this memory request, in bytes (kubernetes
 * pkg/kubelet/qos/policy.go:84,110-119).
 */
export function oomScoreAdjOf(memoryRequestBytes: number, memoryTotalBytes: number): number {
  const { min, max } = BURSTABLE_OOM_SCORE_ADJ;
  // 1000 times 9 TiB exceeds 2^53.
  const thousandths = Number((1000n * BigInt(memoryRequestBytes)) / BigInt(memoryTotalBytes));
  return Math.max(min, Math.min(max, 1000 - thousandths));
}
