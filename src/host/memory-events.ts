import type { MemoryEventCounts, MemoryEvents } from "../policy/eviction/snapshot.ts";
import { readRecord, unlessMissing } from "./file.ts";
import { valueOfKey } from "./key-values.ts";

const NO_COUNTS: MemoryEventCounts = { high: 0, max: 0, oom: 0 };

/** Events of a cgroup that has met no limit, nor has one below it. */
export const NO_EVENTS: MemoryEvents = { ...NO_COUNTS, local: NO_COUNTS };

/**
 * Reads memory.events and memory.events.local of a cgroup (kernel Documentation/admin-guide/cgroup-v2.rst); undefined if
 * the cgroup is gone or the kernel lacks one of the files. Throws a SystemError.
 */
export function readMemoryEvents(directory: string): MemoryEvents | undefined {
  const text = unlessMissing(() => readRecord(`${directory}/memory.events`));
  if (text === undefined) return undefined;
  const all = countsIn(text);
  // Most cgroups have met no limit: the local counters are parts of the others, so they are zero, too.
  if (!hasEvents(all)) return NO_EVENTS;
  const local = readLocalCounts(directory);
  return local && { ...all, local };
}

/** Returns true if a limit was met. */
export function hasEvents({ high, max, oom }: MemoryEventCounts): boolean {
  return high + max + oom > 0;
}

function readLocalCounts(directory: string): MemoryEventCounts | undefined {
  const text = unlessMissing(() => readRecord(`${directory}/memory.events.local`));
  return text === undefined ? undefined : countsIn(text);
}

function countsIn(text: string): MemoryEventCounts {
  return { high: valueOfKey(text, "high"), max: valueOfKey(text, "max"), oom: valueOfKey(text, "oom") };
}
