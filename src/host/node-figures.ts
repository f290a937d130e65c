import type { Pressure } from "../policy/pressure.ts";
import { type NodeMemory, readNodeMemory } from "./meminfo.ts";
import { readPressure } from "./psi.ts";
import { readSwapTraffic, type SwapTraffic } from "./vmstat.ts";

/** How a node is off for memory and swap. */
export interface NodeFigures extends NodeMemory, SwapTraffic {
  /** Of the whole node; undefined where the kernel keeps no such figures. */
  readonly memoryPressure: Pressure | undefined;
  /** Of all pods together. */
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
  return {
    ...readNodeMemory(fsroot),
    ...readSwapTraffic(fsroot, pageBytes),
    memoryPressure: readPressure(`${fsroot}/proc/pressure/memory`),
    kubepodsMemoryPressure:
      kubepodsDirectory === undefined ? undefined : readPressure(`${kubepodsDirectory}/memory.pressure`),
  };
}
