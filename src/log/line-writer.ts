import { writeSync } from "node:fs";

const PATIENCE_MILLISECONDS = 50;
const STDOUT = 1;

/**
 * Writes lines to a descriptor in the order they come, without ever throwing. A pipe that is full is given a moment;
 * then lines are dropped, whole, until it takes some again: a log that nobody reads must not hold the agent.
 */
export class LineWriter {
  readonly #descriptor: number;
  /** The rest of a line of which the beginning is written. */
  #rest: Uint8Array = new Uint8Array();
  #isStuck = false;

  constructor(descriptor = STDOUT) {
    this.#descriptor = descriptor;
  }

  /** Writes one line, given without its end. */
  write(line: string): void {
    const deadline = this.#isStuck ? 0 : performance.now() + PATIENCE_MILLISECONDS;
    this.#isStuck = !this.#finish(deadline);
    if (this.#isStuck) return;
    const bytes = new TextEncoder().encode(`${line}\n`);
    this.#rest = bytes;
    this.#isStuck = !this.#finish(deadline);
    // Nothing of it is out yet, so it may go.
    if (this.#rest.length === bytes.length) this.#rest = new Uint8Array();
  }

  /** Tells whether all that was begun is written by the deadline, in milliseconds of performance.now(). */
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
