import type { MemoryEventCounts, MemoryEvents } from "../policy/eviction/snapshot.ts";
import { readFileIfThere } from "./file.ts";
import { valueOfKey } from "./key-values.ts";

const NONE: MemoryEventCounts = { high: 0, max: 0, oom: 0 };

/**
 * Reads memory.events and memory.events.local of a cgroup (kernel Documentation/admin-guide/cgroup-v2.rst); undefined if
 * the cgroup is gone or the kernel lacks one of the files. Throws a SystemError.
 */
export function readMemoryEvents(directory: string): MemoryEvents | undefined {
  const text = readFileIfThere(`${directory}/memory.events`);
  if (text === undefined) return undefined;
  const all = countsIn(text);
  // Most cgroups have met no limit: the local counters are parts of the others, so they are zero, too.
  const local = all.high + all.max + all.oom === 0 ? NONE : readLocalCounts(directory);
  return local && { ...all, local };
}

function readLocalCounts(directory: string): MemoryEventCounts | undefined {
  const text = readFileIfThere(`${directory}/memory.events.local`);
  return text === undefined ? undefined : countsIn(text);
}

function countsIn(text: string): MemoryEventCounts {
  return { high: valueOfKey(text, "high"), max: valueOfKey(text, "max"), oom: valueOfKey(text, "oom") };
}
