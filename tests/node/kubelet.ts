/**
 * Returns the kubelet's oom_score_adj of a Burstable container for amounts in bytes, in integers as in Go
 * (kubernetes pkg/kubelet/qos/policy.go:84,110-119).
 */
export function kubeletOomScoreAdj(requestBytes: number, memoryTotalBytes: number): number {
  const adjustment = 1000n - (1000n * BigInt(requestBytes)) / BigInt(memoryTotalBytes);
  if (adjustment < 3n) return 3;
  return adjustment === 1000n ? 999 : Number(adjustment);
}

/**
 * Returns the kubelet's LimitedSwap limit in bytes
 * (kubernetes pkg/kubelet/kuberuntime/kuberuntime_container_linux.go:520-534).
 */
export function kubeletSwapLimit(
  requestBytes: number,
  memoryTotalBytes: number,
  swapTotalBytes: number,
): number {
  const share = requestBytes / memoryTotalBytes;
  return Math.trunc(share * swapTotalBytes);
}
