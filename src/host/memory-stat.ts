import { parseValue } from "./key-values.ts";

/** Figures of a cgroup's memory.stat that samples have; counters start at the cgroup's creation. */
export interface MemoryStat {
  readonly anonBytes: number;
  /** Page cache, shared memory included. */
  readonly fileBytes: number;
  readonly shmemBytes: number;
  /** Pages in memory that still have their slot in swap. */
  readonly swapCachedBytes: number;
  readonly inactiveFileBytes: number;
  readonly unevictableBytes: number;
  readonly anonRefaults: number;
  readonly fileRefaults: number;
}

/** Parses a memory.stat; a figure that the kernel lacks is 0. */
export function parseMemoryStat(text: string): MemoryStat {
  const value = valuesInOrder(text);
  // In the kernel's order (mm/memcontrol.c, memory_stats).
  return {
    anonBytes: value("anon"),
    fileBytes: value("file"),
    shmemBytes: value("shmem"),
    swapCachedBytes: value("swapcached"),
    inactiveFileBytes: value("inactive_file"),
    unevictableBytes: value("unevictable"),
    anonRefaults: value("workingset_refault_anon"),
    fileRefaults: value("workingset_refault_file"),
  };
}

// One pass over a file in the expected order: on a node with many pods, a thousand of them are parsed each second.
function valuesInOrder(text: string): (name: string) => number {
  const lines = `\n${text}`;
  let from = 0;
  return (name) => {
    const line = `\n${name} `;
    const next = lines.indexOf(line, from);
    const at = next < 0 ? lines.indexOf(line) : next;
    if (at < 0) return 0;
    from = at + line.length;
    return parseValue(lines, from);
  };
}
