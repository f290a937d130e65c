import { writeSync } from "node:fs";

const PATIENCE_MILLISECONDS = 50;
const STDOUT = 1;

/**
 * Writes lines to a file descriptor in order, and never throws. Waits a moment for a full pipe, then drops whole lines
 * until it has room again: a log without a reader must not block the agent.
 */
export class LineWriter {
  readonly #descriptor: number;
  /** Rest of a line that is partly written. */
  #rest: Uint8Array = new Uint8Array();
  #isStuck = false;

  constructor(descriptor = STDOUT) {
    this.#descriptor = descriptor;
  }

  /** Writes a line, given without its newline. */
  write(line: string): void {
    const deadline = this.#isStuck ? 0 : performance.now() + PATIENCE_MILLISECONDS;
    this.#isStuck = !this.#finish(deadline);
    if (this.#isStuck) return;
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#rest = bytes;
    this.#isStuck = !this.#finish(deadline);
    // Nothing of the line is written yet, so it can be dropped whole.
    if (this.#rest.length === bytes.length) this.#rest = new Uint8Array();
  }

  /** Writes the rest; returns true if all of it is written by the deadline, in milliseconds of performance.now(). */
  #finish(deadline: number): boolean {
    while (this.#rest.length > 0) {
      try {
        this.#rest = this.#rest.subarray(writeSync(this.#descriptor, this.#rest));
      } catch (error) {
        const isFull = (error as NodeJS.ErrnoException).code === "EAGAIN";
        if (!isFull || performance.now() >= deadline) return false;
        Bun.sleepSync(1);
      }
    }
    return true;
  }
}
