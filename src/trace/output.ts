import { closeSync, constants, lstatSync, openSync, rmSync, writeSync } from "node:fs";

const STDOUT = 1;
const FULL_PIPE_MILLISECONDS = 10;
const { O_WRONLY, O_CREAT, O_EXCL } = constants;

/** Result of a write: the maximum size may be reached, or the reader may be gone. */
export type WriteOutcome = "written" | "full" | "reader-gone" | "stopped";

/** Output of a recording, with a maximum size in bytes. */
export class TraceOutput implements Disposable {
  readonly #descriptor: number;
  readonly #maxBytes: number;
  #writtenBytes = 0;

  private constructor(descriptor: number, maxBytes: number) {
    this.#descriptor = descriptor;
    this.#maxBytes = maxBytes;
  }

  /** Writes to standard output. */
  static stdout(maxBytes: number): TraceOutput {
    return new TraceOutput(STDOUT, maxBytes);
  }

  /** Creates a file that only its owner can read; throws an Error if it exists already, unless it may be replaced. */
  static file(path: string, maxBytes: number, mayReplace: boolean): TraceOutput {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined) {
      if (!mayReplace) throw new Error(`--output: ${path} exists already; --force replaces it`);
      if (!found.isFile() && !found.isSymbolicLink())
        throw new Error(`--output: ${path} is not a file, so --force does not replace it`);
      // Removed rather than truncated: processes with access to the old file must not see the new content.
      rmSync(path);
    }
    return new TraceOutput(openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), maxBytes);
  }

  /** Number of bytes written so far. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /**
   * Writes a text whole, or not at all if it would exceed the maximum size; waits for a slow reader until the stop
   * signal. Rejects with an Error if a write fails.
   */
  async write(text: string, stop: AbortSignal): Promise<WriteOutcome> {
    let rest: Uint8Array = new TextEncoder().encode(text);
    if (this.#writtenBytes + rest.length > this.#maxBytes) return "full";
    while (rest.length > 0) {
      const written = this.#writeSome(rest);
      if (written === "reader-gone") return written;
      rest = rest.subarray(written);
      this.#writtenBytes += written;
      if (rest.length === 0) break;
      if (stop.aborted) return "stopped";
      await Bun.sleep(FULL_PIPE_MILLISECONDS);
    }
    return "written";
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== STDOUT) closeSync(this.#descriptor);
  }

  #writeSome(bytes: Uint8Array): number | "reader-gone" {
    try {
      return writeSync(this.#descriptor, bytes);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") return 0;
      if (code === "EPIPE") return "reader-gone";
      throw new Error(`the recording cannot be written: ${message}`);
    }
  }
}
