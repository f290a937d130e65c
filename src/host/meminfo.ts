import type { NodeCapacity } from "../policy/container.ts";
import { readFile } from "./file.ts";

const BYTES_PER_KIBIBYTE = 1024;

/**
 * Reads the node's memory and swap, in bytes, from `proc/meminfo` below fsroot; throws when the file cannot be read
 * or has no MemTotal. A kernel without swap support has no SwapTotal: that is no swap.
 */
export function readNodeCapacity(fsroot: string): NodeCapacity {
  const path = `${fsroot}/proc/meminfo`;
  const meminfo = readFile(path);
  const memoryTotalBytes = fieldBytes(meminfo, "MemTotal");
  if (memoryTotalBytes === undefined) throw new Error(`${path}: no MemTotal in it`);
  return { memoryTotalBytes, swapTotalBytes: fieldBytes(meminfo, "SwapTotal") ?? 0 };
}

function fieldBytes(meminfo: string, name: string): number | undefined {
  const at = meminfo.indexOf(`${name}:`);
  return at < 0 ? undefined : Number.parseInt(meminfo.slice(at + name.length + 1), 10) * BYTES_PER_KIBIBYTE;
}
