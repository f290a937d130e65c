import { readNodeCapacity } from "../../host/meminfo.ts";
import type { Fields } from "../../log/events.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";

/** Memory and swap of the node, which may change while it runs. */
export class Capacity {
  readonly #fsroot: string;
  #current: NodeCapacity;

  /** Throws an Error if the node's memory cannot be read. */
  constructor(fsroot: string) {
    this.#fsroot = fsroot;
    this.#current = readNodeCapacity(fsroot);
  }

  /** Memory and swap in bytes, as last read. */
  get current(): NodeCapacity {
    return this.#current;
  }

  /** Reads the capacity again; returns a change as log fields. Throws an Error if it cannot be read. */
  refresh(): Fields | undefined {
    const before = this.#current;
    this.#current = readNodeCapacity(this.#fsroot);
    const { memoryTotalBytes, swapTotalBytes } = this.#current;
    if (memoryTotalBytes === before.memoryTotalBytes && swapTotalBytes === before.swapTotalBytes)
      return undefined;
    return {
      memoryTotalBytes,
      swapTotalBytes,
      previousMemoryBytes: before.memoryTotalBytes,
      previousSwapBytes: before.swapTotalBytes,
    };
  }
}
