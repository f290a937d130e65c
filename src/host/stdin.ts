import { readToEnd } from "./file.ts";
import { read, waitReadable } from "./libc.ts";

const STDIN = 0;
const NAME = "standard input";

/**
 * Reads standard input to its end as text; throws an Error if it exceeds maxBytes (it is drained nevertheless), or has
 * not ended by the deadline, in milliseconds of performance.now().
 */
export function readStdin(maxBytes: number, deadlineMilliseconds: number): string {
  try {
    return readToEnd(STDIN, NAME, maxBytes, () => awaitInput(deadlineMilliseconds));
  } catch (error) {
    drain(deadlineMilliseconds);
    throw error;
  }
}

// A writer whose pipe is closed early may treat that as a failure. A writer without an end is left after 1 GiB at most.
const MAX_DRAIN_READS = 16 * 1024;

function drain(deadlineMilliseconds: number): void {
  const sink = new Uint8Array(64 * 1024);
  try {
    for (let reads = 0; reads < MAX_DRAIN_READS; reads += 1) {
      awaitInput(deadlineMilliseconds);
      if (read(STDIN, sink, NAME) === 0) return;
    }
  } catch {
    // The deadline is over: the error for which it is drained counts.
  }
}

function awaitInput(deadlineMilliseconds: number): void {
  if (waitReadable(STDIN, deadlineMilliseconds)) return;
  throw new Error(`${NAME} did not end in time: it must be the OCI state, and then end`);
}
