import { closeSync, constants, lstatSync, openSync, rmSync, writeSync } from "node:fs";

const STDOUT = 1;
const FULL_PIPE_MILLISECONDS = 10;
const { O_WRONLY, O_CREAT, O_EXCL } = constants;

/** What became of a text: it may be too much for the output's size, or its reader may have gone. */
export type WriteOutcome = "written" | "full" | "reader-gone" | "stopped";

/** Where a recording goes, up to a number of bytes. */
export class TraceOutput implements Disposable {
  readonly #descriptor: number;
  readonly #maxBytes: number;
  #writtenBytes = 0;

  private constructor(descriptor: number, maxBytes: number) {
    this.#descriptor = descriptor;
    this.#maxBytes = maxBytes;
  }

  /** The standard output. */
  static stdout(maxBytes: number): TraceOutput {
    return new TraceOutput(STDOUT, maxBytes);
  }

  /** A new file that its owner alone reads; throws an Error when it is there already, unless it may be replaced. */
  static file(path: string, maxBytes: number, mayReplace: boolean): TraceOutput {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found !== undefined) {
      if (!mayReplace) throw new Error(`--output: ${path} is there already: --force replaces it`);
      if (!found.isFile() && !found.isSymbolicLink())
        throw new Error(`--output: ${path} is not a file, and is not replaced`);
      // Removed rather than emptied: who may read the old file, or holds it open, gets nothing of the new one.
      rmSync(path);
    }
    return new TraceOutput(openSync(path, O_WRONLY | O_CREAT | O_EXCL, 0o600), maxBytes);
  }

  /** How much has been written. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /**
   * Writes a text whole, or nothing of it where it would be too much; waits for a reader who lags until it is told to
   * stop. Fails with an Error where writing does.
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
      throw new Error(`the recording cannot be written any further: ${message}`);
    }
  }
}
