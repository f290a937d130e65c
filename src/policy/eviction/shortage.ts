import type { KubepodsSample, NodeSample, Snapshot } from "./snapshot.ts";
import { workingSetOf } from "./working-set.ts";

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
  const limitBytes = podsLimitBytes(kubepods);
  if (!Number.isFinite(limitBytes) || limitBytes <= 0) return 1;
  return (limitBytes - workingSetOf(kubepods)) / limitBytes;
}

/** Returns the memory that all pods may have together, in bytes: the limit of kubepods, or the node's memory. */
export function sharedMemoryBytes({ node, kubepods }: Pick<Snapshot, "node" | "kubepods">): number {
  return Math.min(podsLimitBytes(kubepods), node.memoryTotalBytes);
}

/** Returns the limit of kubepods in bytes, memory.max or memory.high; Infinity for none. */
export function podsLimitBytes(kubepods: KubepodsSample | undefined): number {
  return kubepods === undefined
    ? Number.POSITIVE_INFINITY
    : Math.min(kubepods.memoryMaxBytes, kubepods.memoryHighBytes);
}
