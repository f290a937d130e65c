import { formatLimit, parseLimit } from "../kubernetes/quantity.ts";

/** Values to write into a cgroup's files, by file name: `memory.high` and `1048576`. */
export type Unified = Readonly<Record<string, string>>;

/** Returns true if there is nothing to write. */
export function isEmpty(unified: Unified): boolean {
  return Object.keys(unified).length === 0;
}

// Nothing starts with less memory than a page, and systemd rejects it for MemoryHigh and MemoryMax.
type ValueKind = "limit" | "memory" | "switch";

/** Minimum of memory.high and memory.max, in bytes: a page. */
export const MIN_MEMORY_BYTES = 4096;

// Files that hold a setting, in the kernel's Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files".
const MEMORY_FILE_KINDS = {
  "memory.high": "memory",
  "memory.max": "memory",
  "memory.low": "limit",
  "memory.min": "limit",
  "memory.swap.max": "limit",
  "memory.swap.high": "limit",
  "memory.zswap.max": "limit",
  "memory.zswap.writeback": "switch",
  "memory.oom.group": "switch",
} as const satisfies Record<string, ValueKind>;

/** File of a cgroup that holds a setting of its memory. */
export type MemoryFile = keyof typeof MEMORY_FILE_KINDS;

/** Names of all these files. */
export const MEMORY_FILES = Object.keys(MEMORY_FILE_KINDS) as readonly MemoryFile[];

/** Names of the files that hold an amount, which can have a maximum. */
export const BOUNDED_FILES = MEMORY_FILES.filter((file) => MEMORY_FILE_KINDS[file] !== "switch");

/** Returns true if a file of a cgroup holds a setting of its memory. */
export function isMemoryFile(name: string): name is MemoryFile {
  return Object.hasOwn(MEMORY_FILE_KINDS, name);
}

/**
 * Converts a user's value for a file to the kernel's format: `max`, whole bytes, 0 or 1; undefined if the value is
 * invalid for the file. Quantities are Kubernetes', as everywhere in a pod: 64M is 64 000 000, where the kernel itself
 * would read 64 MiB.
 */
export function normalizeMemoryValue(file: MemoryFile, text: string): string | undefined {
  const written = text.trim();
  if (MEMORY_FILE_KINDS[file] === "switch") return written === "0" || written === "1" ? written : undefined;
  // The suffix "m" (a thousandth) is always a slip for "M", and a limit of one byte stops a container.
  if (/[num]$/.test(written)) return undefined;
  const limitBytes = parseLimit(written);
  if (limitBytes === undefined || (MEMORY_FILE_KINDS[file] === "memory" && limitBytes < MIN_MEMORY_BYTES))
    return undefined;
  return formatLimit(limitBytes);
}

/** Describes the valid values of a file, in words. */
export function describeMemoryValues(file: MemoryFile): string {
  if (MEMORY_FILE_KINDS[file] === "switch") return "0 or 1";
  const least = MEMORY_FILE_KINDS[file] === "memory" ? `, of a page (${MIN_MEMORY_BYTES}) or more` : "";
  return `max, or a quantity of bytes such as 512Mi${least}`;
}
