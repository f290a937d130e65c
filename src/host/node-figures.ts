import type { NodeSample, Pressure } from "../policy/eviction/snapshot.ts";
import { readPressure } from "./psi.ts";
import { sampleNode } from "./snapshot.ts";

/** How a node is off for memory and swap. */
export interface NodeFigures
  extends Pick<NodeSample, "memoryTotalBytes" | "swapTotalBytes" | "swapFreeBytes" | "memoryPressure"> {
  /** What has been brought back from swap since the node's start. */
  readonly swapInBytes: number;
  /** What has been swapped out since then. */
  readonly swapOutBytes: number;
  /** Of all pods together; undefined where the kernel keeps no such figures. */
  readonly kubepodsMemoryPressure: Pressure | undefined;
}

/**
 * Reads the figures of the node below fsroot; kubepodsDirectory is the pods' cgroup, undefined where there is none.
 * Throws an error that names the file that cannot be read.
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
