import { readToEnd } from "./file.ts";
import { read, waitReadable } from "./libc.ts";

const STDIN = 0;
const NAME = "standard input";

/**
 * Reads standard input to its end as text; throws an Error if it exceeds maxBytes (it is drained nevertheless), or has
 * not ended by the deadline, in milliseconds of performance.now().
 */
export function readStdin(maxBytes: number, deadlineMilliseconds: number): string {
  const wait = () => awaitInput(deadlineMilliseconds);
  try {
    return readToEnd(STDIN, NAME, maxBytes, wait);
  } catch (error) {
    // A writer whose pipe is closed early may treat that as a failure.
    drain(wait);
    throw error;
  }
}

function drain(wait: () => void): void {
  const sink = new Uint8Array(64 * 1024);
  do wait();
  while (read(STDIN, sink, NAME) > 0);
}

function awaitInput(deadlineMilliseconds: number): void {
  if (waitReadable(STDIN, deadlineMilliseconds)) return;
  throw new Error(`${NAME} did not end in time: it must be the OCI state, and then end`);
}
