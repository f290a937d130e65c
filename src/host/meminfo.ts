import type { NodeCapacity } from "../policy/limits/container.ts";
import { readFile } from "./file.ts";

const BYTES_PER_KIBIBYTE = 1024;

/** Memory and swap of a node, in bytes, with their free parts. */
export interface NodeMemory extends NodeCapacity {
  readonly memoryAvailableBytes: number;
  readonly memoryFreeBytes: number;
  /** Inactive page cache. */
  readonly inactiveFileBytes: number;
  readonly swapFreeBytes: number;
}

/**
 * Reads the node's memory and swap, in bytes, from `proc/meminfo` below fsroot; throws an Error if the file cannot be
 * read or has no MemTotal. A kernel without swap support has no SwapTotal, which counts as no swap.
 */
export function readNodeCapacity(fsroot: string): NodeCapacity {
  return capacityIn(readFile(pathBelow(fsroot)), fsroot);
}

/** Reads the node's memory and swap with their free parts; throws as readNodeCapacity does. */
export function readNodeMemory(fsroot: string): NodeMemory {
  const meminfo = readFile(pathBelow(fsroot));
  return {
    ...capacityIn(meminfo, fsroot),
    memoryAvailableBytes: fieldBytes(meminfo, "MemAvailable") ?? 0,
    memoryFreeBytes: fieldBytes(meminfo, "MemFree") ?? 0,
    inactiveFileBytes: fieldBytes(meminfo, "Inactive(file)") ?? 0,
    swapFreeBytes: fieldBytes(meminfo, "SwapFree") ?? 0,
  };
}

function capacityIn(meminfo: string, fsroot: string): NodeCapacity {
  const memoryTotalBytes = fieldBytes(meminfo, "MemTotal");
  if (memoryTotalBytes === undefined) throw new Error(`${pathBelow(fsroot)}: no MemTotal in it`);
  return { memoryTotalBytes, swapTotalBytes: fieldBytes(meminfo, "SwapTotal") ?? 0 };
}

function pathBelow(fsroot: string): string {
  return `${fsroot}/proc/meminfo`;
}

function fieldBytes(meminfo: string, name: string): number | undefined {
  const at = meminfo.indexOf(`${name}:`);
  return at < 0 ? undefined : Number.parseInt(meminfo.slice(at + name.length + 1), 10) * BYTES_PER_KIBIBYTE;
}
