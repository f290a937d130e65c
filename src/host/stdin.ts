import { read, waitReadable } from "./libc.ts";

const CHUNK_BYTES = 64 * 1024;
const STDIN = 0;

/**
 * Reads standard input to its end and returns its text; throws when it holds more than maxBytes (all of it is
 * drained even so), or has not ended by the deadline, in milliseconds of performance.now().
 */
export function readStdin(maxBytes: number, deadlineMilliseconds: number): string {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let totalBytes = 0;
  let text = "";
  for (;;) {
    if (!waitReadable(STDIN, deadlineMilliseconds - performance.now())) {
      throw new Error("standard input did not end in time: it must be the OCI state, and then end");
    }
    const length = read(STDIN, chunk, "standard input");
    if (length === 0) break;
    totalBytes += length;
    if (totalBytes > maxBytes) text = "";
    else text += decoder.decode(chunk.subarray(0, length), { stream: true });
  }
  if (totalBytes <= maxBytes) return text + decoder.decode();
  throw new Error(
    `standard input holds ${totalBytes} bytes, more than the ${maxBytes} allowed for an OCI state`,
  );
}
