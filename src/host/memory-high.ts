import { constants, open } from "node:fs/promises";
import { formatLimit } from "../policy/kubernetes/quantity.ts";
import { CGROUP_LAYOUTS } from "./cgroup-layout.ts";
import { readFile, writeExistingFile } from "./file.ts";
import { readAttribute, removeAttribute, writeAttribute } from "./libc.ts";

const { O_WRONLY, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = constants;
const { memoryHighFile, unlimited } = CGROUP_LAYOUTS[2];
// The kernel drops the attribute together with the cgroup and its limit, and an agent that starts after a crash
// recognizes its limit by it.
const ATTRIBUTE = "user.wasp.memory-high";

/**
 * The memory.high of a cgroup, as far as it is wasp's: an attribute of the cgroup records that; in bytes, Infinity for
 * none.
 */
export class MemoryHigh {
  readonly #directory: string;
  readonly #file: string;
  #writing: Promise<void> | undefined;

  /** Requires a cgroup v2 directory. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#file = `${directory}/${memoryHighFile}`;
  }

  /** Returns true if the current limit was written by wasp; throws an Error that names the unreadable file. */
  isOwn(): boolean {
    const marked = readAttribute(this.#directory, ATTRIBUTE)?.split(" ") ?? [];
    return marked.length > 0 && marked.includes(readFile(this.#file).trim());
  }

  /** True while a write is in progress. */
  get isBusy(): boolean {
    return this.#writing !== undefined;
  }

  /**
   * Writes the limit, which was beforeBytes until now; rejects with an Error that names the file. A limit below the
   * usage takes as long as the kernel's reclaim, so the write is asynchronous.
   */
  async write(limitBytes: number, beforeBytes: number): Promise<void> {
    // After a crash between the two writes, both values are recognized as wasp's.
    writeAttribute(this.#directory, ATTRIBUTE, `${formatLimit(beforeBytes)} ${formatLimit(limitBytes)}`);
    this.#writing = writeWithoutWaiting(this.#file, formatLimit(limitBytes));
    try {
      await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  /** Removes wasp's limit at once, and again after a write in progress; leaves the limit of another process. */
  async release(): Promise<void> {
    const writing = this.#writing;
    if (writing !== undefined || this.isOwn()) writeExistingFile(this.#file, unlimited);
    removeAttribute(this.#directory, ATTRIBUTE);
    if (writing === undefined) return;
    await writing.catch(() => {});
    writeExistingFile(this.#file, unlimited);
  }
}

async function writeWithoutWaiting(path: string, text: string): Promise<void> {
  // Since Linux 6.17 a write with O_NONBLOCK leaves the reclaim to the pods.
  await using file = await open(path, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_NONBLOCK);
  await file.write(text);
}
