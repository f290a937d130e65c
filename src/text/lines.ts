const NEWLINE = 10;

/** Rule for a line longer than the largest size: `refuse` throws an Error, `cut` splits the line into several. */
export type LongLines = "refuse" | "cut";

/** Splits chunks of UTF-8 bytes into lines of text and holds at most one unfinished line. */
export class LineSplitter {
  readonly #maxLineBytes: number;
  readonly #longLines: LongLines;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;
  #lines = 0;

  constructor(maxLineBytes: number, longLines: LongLines = "refuse") {
    this.#maxLineBytes = maxLineBytes;
    this.#longLines = longLines;
  }

  /** Size of the unfinished last line, in bytes. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Returns the lines that a chunk completes, without their newlines; throws an Error that names a line that is refused. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end), lines);
      lines.push(this.#take());
      start = end + 1;
    }
    // A copy, because the beginning of a line must not keep the whole chunk in memory.
    if (start < chunk.length) this.#keep(chunk.slice(start), lines);
    return lines;
  }

  /** Returns the last line if it has no newline, and starts over. */
  end(): string[] {
    return this.#pendingBytes === 0 ? [] : [this.#take()];
  }

  #keep(bytes: Uint8Array, lines: string[]): void {
    let rest = bytes;
    while (this.#pendingBytes + rest.length > this.#maxLineBytes) {
      if (this.#longLines === "refuse")
        throw new Error(`line ${this.#lines + 1} exceeds ${this.#maxLineBytes} bytes`);
      const room = this.#maxLineBytes - this.#pendingBytes;
      const boundary = characterBoundary(rest, room);
      const head = rest.subarray(0, boundary === 0 && this.#pendingBytes === 0 ? room : boundary);
      this.#add(head);
      rest = rest.subarray(head.length);
      lines.push(this.#take());
    }
    this.#add(rest);
  }

  #add(bytes: Uint8Array): void {
    this.#pendingBytes += bytes.length;
    if (bytes.length > 0) this.#pieces.push(bytes);
  }

  // Only whole lines are decoded: a chunk may end within a character.
  #take(): string {
    const [first, second] = this.#pieces;
    const line = this.#decoder.decode(second === undefined ? first : Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#pendingBytes = 0;
    this.#lines += 1;
    return line;
  }
}

/** Returns the end of the last whole character within the first `length` bytes; `length` itself where they are no UTF-8. */
function characterBoundary(bytes: Uint8Array, length: number): number {
  for (let end = length; end > length - MAX_CHARACTER_BYTES && end >= 0; end--)
    if (!isContinuation(bytes[end])) return end;
  return length;
}

const MAX_CHARACTER_BYTES = 4;

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
