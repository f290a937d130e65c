import type { ContainerSample, PodSample, Snapshot } from "./snapshot.ts";

/** Swap usage of the pods, and their room for more. */
export interface SwapHeadroom {
  readonly swappedBytes: number;
  /** Memory that can still be swapped out, within each container's own limit and the node's free swap. */
  readonly leftBytes: number;
}

/** Samples of which a headroom is computed. */
type Samples = Pick<Snapshot, "containers" | "podSamples" | "pods" | "node">;

/** Computes the pods' room in swap; undefined while containers are not sampled, or without the values that it needs. */
export function swapHeadroomOf({ containers, podSamples, pods, node }: Samples): SwapHeadroom | undefined {
  const ofPods = new Map(podSamples.map((sample) => [sample.podUid, sample]));
  const named = new Set(pods.flatMap((pod) => pod.containers.map(({ id }) => id)));
  let swappedBytes = 0;
  let leftBytes = 0;
  for (const [podUid, samples] of Map.groupBy(containers, (sample) => sample.podUid)) {
    const uses = samples.map((sample) => useOf(sample, named.has(sample.id)));
    if (!uses.every((use) => use !== undefined)) return undefined;
    for (const use of [...uses, ...formerUseOf(ofPods.get(podUid), uses)]) {
      swappedBytes += use.swapBytes;
      leftBytes += Math.min(use.swappableBytes, Math.max(0, use.limitBytes - use.swapBytes));
    }
  }
  return containers.length === 0
    ? undefined
    : { swappedBytes, leftBytes: Math.min(leftBytes, node.swapFreeBytes) };
}

interface SwapUse {
  readonly swapBytes: number;
  readonly swappableBytes: number;
  readonly limitBytes: number;
  /** Limit that the containers before this one had; 0 for a pause container, which has none before it. */
  readonly formerLimitBytes: number;
}

function useOf(
  { swapBytes, swappableBytes, swapLimitBytes: limitBytes }: ContainerSample,
  isNamed: boolean,
): SwapUse | undefined {
  return swappableBytes === undefined || limitBytes === undefined
    ? undefined
    : { swapBytes, swappableBytes, limitBytes, formerLimitBytes: isNamed ? limitBytes : 0 };
}

/**
 * Returns what is charged to a pod and to none of its containers: the files that a former container wrote to a memory-backed
 * volume. Its limit still applies to them, and was the limit of the one that replaced it.
 */
function formerUseOf(
  pod: PodSample | undefined,
  uses: readonly SwapUse[],
): readonly Omit<SwapUse, "formerLimitBytes">[] {
  if (pod?.swappableBytes === undefined) return [];
  const sumOf = (figure: keyof SwapUse) => uses.reduce((sum, use) => sum + use[figure], 0);
  return [
    {
      swapBytes: Math.max(0, pod.swapBytes - sumOf("swapBytes")),
      swappableBytes: Math.max(0, pod.swappableBytes - sumOf("swappableBytes")),
      limitBytes: sumOf("formerLimitBytes"),
    },
  ];
}

const SWAP_EXHAUSTED_FRACTION = 0.02;

/** Returns true if swap is full: all of the node's, or all that the pods may use and have memory for. */
export function isSwapExhausted(snapshot: Samples): boolean {
  const { swapTotalBytes, swapFreeBytes } = snapshot.node;
  if (swapTotalBytes <= 0) return false;
  if (swapFreeBytes <= SWAP_EXHAUSTED_FRACTION * swapTotalBytes) return true;
  const headroom = swapHeadroomOf(snapshot);
  return (
    headroom !== undefined &&
    headroom.swappedBytes > 0 &&
    headroom.leftBytes <= SWAP_EXHAUSTED_FRACTION * (headroom.swappedBytes + headroom.leftBytes)
  );
}
