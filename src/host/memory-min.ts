import { readFile, unlessGone, writeExistingFile } from "./file.ts";
import { readAttribute, removeAttribute, writeAttribute } from "./libc.ts";

// The kernel drops the attribute together with the cgroup, and an agent that starts after a crash recognizes its value.
const ATTRIBUTE = "user.wasp.memory-min";

/**
 * The memory.min of a cgroup and of those above it, as far as it is wasp's: an attribute of each cgroup records that. The
 * kernel protects no more than each of them grants (kernel Documentation/admin-guide/cgroup-v2.rst, memory.min).
 */
export class MemoryMin {
  readonly #directories: readonly string[];

  /** Requires cgroup v2 directories, from the protected cgroup up to the highest one that is to grant it. */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /**
   * Raises each value below these bytes, and lowers none. Writes nothing if a lower value is another program's, and returns
   * that file; undefined if the memory is protected. Throws an Error that names a file that cannot be read or written.
   */
  protect(bytes: number): string | undefined {
    const lower = this.#directories.filter((directory) => Number(protectedBytes(directory)) < bytes);
    const foreign = lower.find((directory) => protectedBytes(directory) !== "0" && !isOwn(directory));
    if (foreign !== undefined) return fileOf(foreign);
    for (const directory of lower) {
      // After a crash between the two writes, the attribute fits no value, and the next agent starts from 0.
      writeAttribute(directory, ATTRIBUTE, String(bytes));
      writeExistingFile(fileOf(directory), String(bytes));
    }
    return undefined;
  }

  /** Sets wasp's values back to 0; leaves those of others, and cgroups that are gone. Throws as `protect` does. */
  release(): void {
    for (const directory of this.#directories) unlessGone(() => releaseOne(directory));
  }
}

function releaseOne(directory: string): void {
  if (isOwn(directory)) writeExistingFile(fileOf(directory), "0");
  removeAttribute(directory, ATTRIBUTE);
}

function fileOf(directory: string): string {
  return `${directory}/memory.min`;
}

/** Reads memory.min in bytes, or `max`, which is below nothing. */
function protectedBytes(directory: string): string {
  return readFile(fileOf(directory)).trim();
}

function isOwn(directory: string): boolean {
  const written = readAttribute(directory, ATTRIBUTE);
  return written !== undefined && written === protectedBytes(directory);
}
