import type { NodeSample, Pressure } from "../policy/eviction/snapshot.ts";
import { readPressure } from "./psi.ts";
import { sampleNode } from "./snapshot.ts";

/** Memory and swap of a node, for metrics. */
export interface NodeFigures
  extends Pick<NodeSample, "memoryTotalBytes" | "swapTotalBytes" | "swapFreeBytes" | "memoryPressure"> {
  /** Bytes swapped in since the node's boot. */
  readonly swapInBytes: number;
  /** Bytes swapped out since the node's boot. */
  readonly swapOutBytes: number;
  /** Pressure of all pods together; undefined on a kernel without pressure stall information. */
  readonly kubepodsMemoryPressure: Pressure | undefined;
}

/**
 * Reads the figures of the node below fsroot; kubepodsDirectory is the pods' cgroup, undefined without one. Throws an
 * Error that names the unreadable file.
 */
export function readNodeFigures(
  fsroot: string,
  kubepodsDirectory: string | undefined,
  pageBytes: number,
): NodeFigures {
  const { memoryTotalBytes, swapTotalBytes, swapFreeBytes, memoryPressure, ...traffic } = sampleNode(fsroot);
  return {
    memoryTotalBytes,
    swapTotalBytes,
    swapFreeBytes,
    swapInBytes: traffic.swapInPages * pageBytes,
    swapOutBytes: traffic.swapOutPages * pageBytes,
    memoryPressure,
    kubepodsMemoryPressure:
      kubepodsDirectory === undefined ? undefined : readPressure(`${kubepodsDirectory}/memory.pressure`),
  };
}
