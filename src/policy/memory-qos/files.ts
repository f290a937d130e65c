import { formatLimit, parseLimit } from "../kubernetes/quantity.ts";

/** A cgroup's files with what is to be written into them, by the name of the file: `memory.high` and `1048576`. */
export type Unified = Readonly<Record<string, string>>;

/** Whether nothing is to be written. */
export function isEmpty(unified: Unified): boolean {
  return Object.keys(unified).length === 0;
}

// With less memory than a page nothing starts, and systemd does not take it for MemoryHigh or MemoryMax.
type ValueKind = "limit" | "memory" | "switch";

/** The least that memory.high and memory.max may be, in bytes: a page. */
export const MIN_MEMORY_BYTES = 4096;

// The kernel's Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files": those that hold a setting.
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

/** A file of a cgroup that holds a setting of its memory. */
export type MemoryFile = keyof typeof MEMORY_FILE_KINDS;

/** All of them. */
export const MEMORY_FILES = Object.keys(MEMORY_FILE_KINDS) as readonly MemoryFile[];

/** Tells whether a file of a cgroup holds a setting of its memory. */
export function isMemoryFile(name: string): name is MemoryFile {
  return Object.hasOwn(MEMORY_FILE_KINDS, name);
}

/**
 * Spells what a user wrote for a file as the kernel reads it: `max`, whole bytes, 0 or 1; undefined for what the file
 * cannot hold. A quantity is Kubernetes' one, as everywhere in a pod: 64M is 64 000 000, where the kernel by itself
 * would read 64 MiB.
 */
export function normalizeMemoryValue(file: MemoryFile, text: string): string | undefined {
  const written = text.trim();
  if (MEMORY_FILE_KINDS[file] === "switch") return written === "0" || written === "1" ? written : undefined;
  // A thousandth of a byte is always a slip for a million bytes, and a limit of one byte stops a container.
  if (/[num]$/.test(written)) return undefined;
  const limitBytes = parseLimit(written);
  if (limitBytes === undefined || (MEMORY_FILE_KINDS[file] === "memory" && limitBytes < MIN_MEMORY_BYTES))
    return undefined;
  return formatLimit(limitBytes);
}

/** What a file can hold, in words. */
export function describeMemoryValues(file: MemoryFile): string {
  if (MEMORY_FILE_KINDS[file] === "switch") return "0 or 1";
  const least = MEMORY_FILE_KINDS[file] === "memory" ? `, of a page (${MIN_MEMORY_BYTES}) or more` : "";
  return `max, or a quantity of bytes such as 512Mi${least}`;
}
