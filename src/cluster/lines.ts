const NEWLINE = 10;

/** Splits bytes that arrive in pieces into lines of text, and buffers one unfinished line at most. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Size of the buffered line, which has no end yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes the next piece and returns the lines that it completes; throws an Error at a line that is too long. */
  push(piece: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, start)) {
      this.#keep(piece.subarray(start, end));
      lines.push(this.#take());
      start = end + 1;
    }
    // A copy: a view of the line's beginning would keep the whole piece in memory.
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
