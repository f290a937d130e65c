import { writeSync } from "node:fs";

/** Where progress is shown. */
export interface Terminal {
  write(text: string): void;
  /** Whether lines on it can be drawn again. */
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
}

const STANDARD_COLUMNS = 80;
const STANDARD_ROWS = 24;

/** What of process.stdout and process.stderr is of interest. */
export interface StandardStream {
  readonly fd: number;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** The process's standard output or standard error. Where nobody reads any more, what is written is lost in silence. */
export function terminalOf(stream: StandardStream): Terminal {
  return {
    isTerminal: stream.isTTY === true,
    // Asked each time: a window changes its size.
    get columns() {
      return stream.columns || STANDARD_COLUMNS;
    },
    get rows() {
      return stream.rows || STANDARD_ROWS;
    },
    // At once: what a stream holds back is lost when the process exits.
    write: (text) => writeAll(stream.fd, text),
  };
}

function writeAll(descriptor: number, text: string): void {
  let rest: Uint8Array = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      // The hosts are to be seen through all the same.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Bun.sleepSync(1);
    }
  }
}
