import type { KubepodsSample, NodeSample } from "../eviction/snapshot.ts";
import { workingSetOf } from "../eviction/working-set.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";

/** Memory threshold of a kubelet: in bytes, or as a fraction of the capacity from 0 to 1. */
export type MemoryThreshold = { readonly bytes: number } | { readonly fraction: number };

/** Thresholds of memory.available at which a kubelet evicts pods; undefined where it has none. */
export interface KubeletThresholds {
  readonly hard: MemoryThreshold | undefined;
  readonly soft: MemoryThreshold | undefined;
  /** True if the hard threshold also applies to the limit of all pods together (enforceNodeAllocatable has `pods`). */
  readonly enforcesPods: boolean;
}

/** Memory for all pods together, in bytes. */
export interface PodMemoryHeadroom {
  /** Working set of the pods at which the kubelet evicts; Infinity if it never does. */
  readonly evictedFromBytes: number;
  /** Memory that the pods can use at most. */
  readonly totalBytes: number;
}

/**
 * Computes the memory that the pods may use before the kubelet evicts one of them. The kubelet compares its thresholds
 * with the node's memory less its usage, and the hard one also with the limit of kubepods less the usage of the pods.
 * Inactive page cache is no usage (kubernetes pkg/kubelet/eviction/helpers.go, makeSignalObservations and
 * addAllocatableThresholds). Undefined where a value of the node is unknown.
 */
export function podMemoryHeadroomOf(
  node: NodeSample,
  kubepods: KubepodsSample,
  { hard, soft, enforcesPods }: KubeletThresholds,
): PodMemoryHeadroom | undefined {
  if (node.memoryFreeBytes === undefined || node.inactiveFileBytes === undefined) return undefined;
  // Newer kubelets do not count the kernel's own memory here, so the headroom is too small rather than too large.
  const inUseBytes = node.memoryTotalBytes - node.memoryFreeBytes - node.inactiveFileBytes;
  const outsideBytes = Math.max(0, inUseBytes - workingSetOf(kubepods));
  const nodeBytes = node.memoryTotalBytes - outsideBytes;
  const { memoryMaxBytes } = kubepods;
  const nodeThresholdBytes = Math.max(
    bytesOf(hard, node.memoryTotalBytes),
    bytesOf(soft, node.memoryTotalBytes),
  );
  const podsThresholdBytes =
    enforcesPods && Number.isFinite(memoryMaxBytes)
      ? bytesOf(hard, memoryMaxBytes)
      : Number.NEGATIVE_INFINITY;
  return {
    evictedFromBytes: Math.min(nodeBytes - nodeThresholdBytes, memoryMaxBytes - podsThresholdBytes),
    totalBytes: Math.min(nodeBytes, memoryMaxBytes),
  };
}

// Either of these switches a threshold off (kubernetes pkg/kubelet/eviction/helpers.go, parseThresholdStatement).
const DISABLING_VALUES = new Set(["0%", "100%"]);

/** Parses a threshold of a kubelet's configuration, `100Mi` or `5%`; undefined where there is none. */
export function parseMemoryThreshold(
  text: string | null | undefined,
): MemoryThreshold | "unreadable" | undefined {
  if (text === undefined || text === null || DISABLING_VALUES.has(text)) return undefined;
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  if (percent !== undefined) return { fraction: Number(percent) / 100 };
  const bytes = parseQuantity(text);
  return bytes === undefined ? "unreadable" : { bytes };
}

function bytesOf(figure: MemoryThreshold | undefined, capacityBytes: number): number {
  if (figure === undefined) return Number.NEGATIVE_INFINITY;
  return "bytes" in figure ? figure.bytes : figure.fraction * capacityBytes;
}
