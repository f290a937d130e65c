import { readNodeCapacity } from "../../host/meminfo.ts";
import type { NodeCapacity } from "../../policy/limits/container.ts";
import type { LimitAgentListener } from "./limit-context.ts";

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

  /** Reads the capacity again, and reports a change or an error; returns true if it has changed. */
  refresh(listener: Pick<LimitAgentListener, "log" | "begin">): boolean {
    const before = this.#current;
    try {
      this.#current = readNodeCapacity(this.#fsroot);
    } catch (error) {
      listener.begin("node-unknown", (error as Error).message);
      return false;
    }
    const { memoryTotalBytes, swapTotalBytes } = this.#current;
    if (memoryTotalBytes === before.memoryTotalBytes && swapTotalBytes === before.swapTotalBytes)
      return false;
    const previous = {
      previousMemoryBytes: before.memoryTotalBytes,
      previousSwapBytes: before.swapTotalBytes,
    };
    listener.log("node-capacity-changed", { memoryTotalBytes, swapTotalBytes, ...previous }, 0);
    return true;
  }
}
