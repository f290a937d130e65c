import type { NodeCapacity } from "../policy/container.ts";
import { readFile } from "./file.ts";

const BYTES_PER_KIBIBYTE = 1024;

/** The memory and the swap of a node, in bytes, and how much of the swap is free. */
export interface NodeMemory extends NodeCapacity {
  readonly swapFreeBytes: number;
}

/**
 * Reads the node's memory and swap, in bytes, from `proc/meminfo` below fsroot; throws when the file cannot be read
 * or has no MemTotal. A kernel without swap support has no SwapTotal: that is no swap.
 */
export function readNodeCapacity(fsroot: string): NodeCapacity {
  const { memoryTotalBytes, swapTotalBytes } = readNodeMemory(fsroot);
  return { memoryTotalBytes, swapTotalBytes };
}

/** Reads what readNodeCapacity does, and the free swap; throws as it does. */
export function readNodeMemory(fsroot: string): NodeMemory {
  const path = `${fsroot}/proc/meminfo`;
  const meminfo = readFile(path);
  const memoryTotalBytes = fieldBytes(meminfo, "MemTotal");
  if (memoryTotalBytes === undefined) throw new Error(`${path}: no MemTotal in it`);
  const swapTotalBytes = fieldBytes(meminfo, "SwapTotal") ?? 0;
  return { memoryTotalBytes, swapTotalBytes, swapFreeBytes: fieldBytes(meminfo, "SwapFree") ?? 0 };
}

function fieldBytes(meminfo: string, name: string): number | undefined {
  const at = meminfo.indexOf(`${name}:`);
  return at < 0 ? undefined : Number.parseInt(meminfo.slice(at + name.length + 1), 10) * BYTES_PER_KIBIBYTE;
}
