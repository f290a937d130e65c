import type { KubepodsSample, NodeSample, Snapshot } from "./snapshot.ts";

const SHORT_OF_LIMIT_FRACTION = 0.03;
const SHORT_OF_NODE_FRACTION = 0.04;
// More than reclaim frees at a moment: somebody has gone.
const AMPLE_FRACTION = 0.1;

/**
 * Returns true if the memory that all pods share is short: next to nothing is left below the limit of kubepods, or of the
 * node. Pods that wait for memory while it is not are recovering, or reclaim against limits of their own.
 */
export function isMemoryShort({ node, kubepods }: Pick<Snapshot, "node" | "kubepods">): boolean {
  return (
    availableFractionOfNode(node) <= SHORT_OF_NODE_FRACTION ||
    roomFraction(kubepods) <= SHORT_OF_LIMIT_FRACTION
  );
}

/** Returns true if there is so much room again that a shortage of a moment ago is over. */
export function isMemoryAmple({ node, kubepods }: Pick<Snapshot, "node" | "kubepods">): boolean {
  return Math.min(availableFractionOfNode(node), roomFraction(kubepods)) >= AMPLE_FRACTION;
}

function availableFractionOfNode({ memoryTotalBytes, memoryAvailableBytes }: NodeSample): number {
  return memoryTotalBytes > 0 ? memoryAvailableBytes / memoryTotalBytes : 1;
}

function roomFraction(kubepods: KubepodsSample | undefined): number {
  if (kubepods === undefined) return 1;
  const { memoryMaxBytes, memoryHighBytes, memoryBytes, inactiveFileBytes } = kubepods;
  const limitBytes = Math.min(memoryMaxBytes, memoryHighBytes);
  if (!Number.isFinite(limitBytes) || limitBytes <= 0) return 1;
  return (limitBytes - (memoryBytes - inactiveFileBytes)) / limitBytes;
}

/** Returns the memory that all pods may have together, in bytes: the limit of kubepods, or the node's memory. */
export function sharedMemoryBytes({ node, kubepods }: Pick<Snapshot, "node" | "kubepods">): number {
  const { memoryMaxBytes = Number.POSITIVE_INFINITY, memoryHighBytes = Number.POSITIVE_INFINITY } =
    kubepods ?? {};
  return Math.min(memoryMaxBytes, memoryHighBytes, node.memoryTotalBytes);
}
