import { writeSync } from "node:fs";

/** Output for progress and reports. */
export interface Terminal {
  write(text: string): void;
  /** True if printed lines can be redrawn. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
}

const STANDARD_COLUMNS = 80;
const STANDARD_ROWS = 24;

/** Used properties of process.stdout and process.stderr. */
export interface StandardStream extends Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns" | "rows">> {
  readonly fd: number;
}

/** Wraps the process's standard output or standard error. After the reader has gone, output is dropped silently. */
export function terminalOf(stream: StandardStream): Terminal {
  return {
    isTerminal: stream.isTTY === true,
    // Read each time: a window can be resized.
    get columns() {
      return stream.columns || STANDARD_COLUMNS;
    },
    get rows() {
      return stream.rows || STANDARD_ROWS;
    },
    // Synchronous: text in a stream's buffer is lost when the process exits.
    write: (text) => writeAll(stream.fd, text),
  };
}

function writeAll(descriptor: number, text: string): void {
  let rest: Uint8Array = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      // Work on the hosts continues without output.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Bun.sleepSync(1);
    }
  }
}
