import { constants, open } from "node:fs/promises";
import { formatLimit } from "../policy/kubernetes/quantity.ts";
import { readFile, writeExistingFile } from "./file.ts";
import { readAttribute, removeAttribute, writeAttribute } from "./libc.ts";

// The kernel keeps it with the cgroup, so that it is gone when the limit is, and an agent that comes after a crash knows
// whose limit it finds.
const ATTRIBUTE = "user.wasp.memory-high";

/** The memory.high of a cgroup, as far as it is wasp's, which a mark on the cgroup tells; in bytes, Infinity for none. */
export class MemoryHigh {
  readonly #directory: string;
  readonly #file: string;
  #writing: Promise<void> | undefined;

  /** On cgroup v2 alone. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#file = `${directory}/memory.high`;
  }

  /** Whether the limit in force is one that wasp wrote; throws an error that names the file that cannot be read. */
  isOwn(): boolean {
    const marked = readAttribute(this.#directory, ATTRIBUTE)?.split(" ") ?? [];
    return marked.length > 0 && marked.includes(readFile(this.#file).trim());
  }

  /** Whether a write has not come to its end yet. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /**
   * Writes the limit, which a moment ago was beforeBytes; fails with an error that names the file. Below what is in use
   * that takes as long as the kernel takes to make room, so nobody is kept waiting.
   */
  async write(limitBytes: number, beforeBytes: number): Promise<void> {
    // Were it all to end between the two writes, either figure would be known as wasp's.
    writeAttribute(this.#directory, ATTRIBUTE, `${formatLimit(beforeBytes)} ${formatLimit(limitBytes)}`);
    this.#writing = writeWithoutWaiting(this.#file, formatLimit(limitBytes));
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Takes wasp's limit away, at once, and again after a write that is under way; leaves another's alone. */
  async release(): Promise<void> {
    const writing = this.#writing;
    if (writing !== undefined || this.isOwn()) writeExistingFile(this.#file, "max");
    removeAttribute(this.#directory, ATTRIBUTE);
    if (writing === undefined) return;
    await writing.catch(() => {});
    writeExistingFile(this.#file, "max");
  }
}

async function writeWithoutWaiting(path: string, text: string): Promise<void> {
  // As of Linux 6.17 a write with O_NONBLOCK leaves it to the pods to make room.
  const file = await open(
    path,
    constants.O_WRONLY | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  );
  try {
    await file.write(text);
  } finally {
    await file.close();
  }
}
