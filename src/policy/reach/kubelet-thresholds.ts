import type { KubepodsSample, NodeSample } from "../eviction/snapshot.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";

/** How little memory a kubelet puts up with: bytes, or a part of what there is, from 0 to 1. */
export type MemoryFigure = { readonly bytes: number } | { readonly fraction: number };

/** From when on a kubelet evicts pods for memory: its thresholds of memory.available, undefined where it has none. */
export interface KubeletThresholds {
  readonly hard: MemoryFigure | undefined;
  readonly soft: MemoryFigure | undefined;
  /** It holds the hard one against what all pods together may have, too (enforceNodeAllocatable has `pods`). */
  readonly enforcesPods: boolean;
}

/** How much memory the pods may take together, in bytes. */
export interface PodsRoom {
  /** Their working set, from which on the kubelet evicts; Infinity where it never does. */
  readonly evictedFromBytes: number;
  /** All that there is for them. */
  readonly totalBytes: number;
}

/**
 * Tells how much memory the pods may take before the kubelet evicts one of them. It holds its thresholds against the
 * node's memory less what is in use, and the hard one also against kubepods' limit less what the pods use; the page cache
 * that nobody has used lately is not in use (kubernetes pkg/kubelet/eviction/helpers.go, makeSignalObservations and
 * addAllocatableThresholds). Undefined where the node's own figures do not tell.
 */
export function roomOfPods(
  node: NodeSample,
  kubepods: KubepodsSample,
  { hard, soft, enforcesPods }: KubeletThresholds,
): PodsRoom | undefined {
  if (node.memoryFreeBytes === undefined || node.inactiveFileBytes === undefined) return undefined;
  // Newer kubelets leave the kernel's own memory out of this, so that the room is rather too small than too large.
  const inUseBytes = node.memoryTotalBytes - node.memoryFreeBytes - node.inactiveFileBytes;
  const ofOthersBytes = Math.max(0, inUseBytes - workingSetOf(kubepods));
  const ofNodeBytes = node.memoryTotalBytes - ofOthersBytes;
  const { memoryMaxBytes } = kubepods;
  const nodeLeastBytes = Math.max(bytesOf(hard, node.memoryTotalBytes), bytesOf(soft, node.memoryTotalBytes));
  const podsLeastBytes =
    enforcesPods && Number.isFinite(memoryMaxBytes)
      ? bytesOf(hard, memoryMaxBytes)
      : Number.NEGATIVE_INFINITY;
  return {
    evictedFromBytes: Math.min(ofNodeBytes - nodeLeastBytes, memoryMaxBytes - podsLeastBytes),
    totalBytes: Math.min(ofNodeBytes, memoryMaxBytes),
  };
}

// Nothing at all, or all of it, switches a threshold off (kubernetes pkg/kubelet/eviction/helpers.go,
// parseThresholdStatement).
const NONE = new Set(["0%", "100%"]);

/** Reads a threshold as a kubelet's configuration has it, `100Mi` or `5%`; undefined where there is none. */
export function parseMemoryFigure(text: string | null | undefined): MemoryFigure | "unreadable" | undefined {
  if (text === undefined || text === null || NONE.has(text)) return undefined;
  const [, percent] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  if (percent !== undefined) return { fraction: Number(percent) / 100 };
  const bytes = parseQuantity(text);
  return bytes === undefined ? "unreadable" : { bytes };
}

/** What a cgroup uses as the kubelet counts it, in bytes. */
export function workingSetOf({ memoryBytes, inactiveFileBytes }: KubepodsSample): number {
  return Math.max(0, memoryBytes - inactiveFileBytes);
}

function bytesOf(figure: MemoryFigure | undefined, capacityBytes: number): number {
  if (figure === undefined) return Number.NEGATIVE_INFINITY;
  return "bytes" in figure ? figure.bytes : figure.fraction * capacityBytes;
}
