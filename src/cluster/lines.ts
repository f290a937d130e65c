const NEWLINE = 10;

/** Cuts bytes that come in pieces into lines of text, and holds no more than one unfinished line. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The bytes of the last line so far, which has no end yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Gives the lines that a piece completes, without their ends; throws an Error at a line that is longer than allowed. */
  push(piece: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, start)) {
      this.#keep(piece.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    // A copy, because the beginning of a line must not hold on to the whole piece.
    this.#keep(piece.slice(start));
    return lines;
  }

  #keep(bytes: Uint8Array): void {
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > this.#maxLineBytes)
      throw new Error(`a line exceeds ${this.#maxLineBytes} bytes`);
    if (bytes.length > 0) this.#pieces.push(bytes);
  }

  #take(): string {
    const line = Buffer.concat(this.#pieces).toString("utf8");
    this.#pieces = [];
    this.#pendingBytes = 0;
    return line;
  }
}
