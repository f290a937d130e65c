import type { MemoryEventCounts, MemoryEvents } from "../policy/eviction/snapshot.ts";
import { readRecord, unlessMissing } from "./file.ts";
import { valueOfKey } from "./key-values.ts";

const NO_COUNTS: MemoryEventCounts = { high: 0, max: 0, oom: 0 };

/** Events of a cgroup that has met no limit, nor has one below it. */
export const NO_EVENTS: MemoryEvents = { ...NO_COUNTS, local: NO_COUNTS };

/** Texts of a cgroup's memory.events and memory.events.local. */
export interface EventTexts {
  readonly all: string;
  /** Undefined if it is missing, or does not matter because no limit was met. */
  readonly local: string | undefined;
}

/**
 * Reads memory.events and memory.events.local of a cgroup (kernel Documentation/admin-guide/cgroup-v2.rst); undefined if
 * the cgroup is gone or the kernel lacks one of the files. Throws a SystemError.
 */
export function readMemoryEvents(directory: string): MemoryEvents | undefined {
  const texts = readEventTexts(directory);
  return texts && memoryEventsIn(texts);
}

/**
 * Reads the same files as texts; undefined if the cgroup is gone or the kernel lacks memory.events. Returns earlier texts
 * if memory.events has not changed since.
 */
export function readEventTexts(directory: string, before?: EventTexts): EventTexts | undefined {
  const all = unlessMissing(() => readRecord(`${directory}/memory.events`));
  if (all === undefined) return undefined;
  if (all === before?.all) return before;
  // Most cgroups have met no limit: the local counters are parts of the others, so they are zero, too.
  return { all, local: hasEvents(countsIn(all)) ? readLocalText(directory) : undefined };
}

/** Parses these texts; undefined if the kernel lacks memory.events.local. */
export function memoryEventsIn({ all, local }: EventTexts): MemoryEvents | undefined {
  const counts = countsIn(all);
  if (!hasEvents(counts)) return NO_EVENTS;
  return local === undefined ? undefined : { ...counts, local: countsIn(local) };
}

/** Returns true if a limit was met. */
export function hasEvents({ high, max, oom }: MemoryEventCounts): boolean {
  return high + max + oom > 0;
}

function readLocalText(directory: string): string | undefined {
  return unlessMissing(() => readRecord(`${directory}/memory.events.local`));
}

function countsIn(text: string): MemoryEventCounts {
  return { high: valueOfKey(text, "high"), max: valueOfKey(text, "max"), oom: valueOfKey(text, "oom") };
}
