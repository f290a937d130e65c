/** A line of output of a host or of ssh itself. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

// More than any command of wasp prints: a host that sends more must not exhaust memory.
const MAX_CHARACTERS = 1 << 20;
const MAX_LINE_CHARACTERS = 1 << 16;

/** Output of a host, limited to the first 1 Mi characters. */
export class Transcript {
  #lines: OutputLine[] = [];
  #characters = 0;

  /** Adds a line, or the part of it that fits. */
  add(stream: OutputLine["stream"], text: string): void {
    const room = MAX_CHARACTERS - this.#characters;
    if (room <= 0) return;
    this.#characters += text.length + 1;
    this.#lines.push({ stream, text: text.slice(0, room) });
    if (text.length >= room) this.#lines.push({ stream: "stderr", text: "wasp: output truncated" });
  }

  /** Discards all lines. */
  clear(): void {
    this.#lines = [];
    this.#characters = 0;
  }

  /** Returns the lines in order. */
  lines(): readonly OutputLine[] {
    return this.#lines;
  }
}

/** Cuts bytes as they come into lines of text. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line.replace(/\r$/, ""));
    if (this.#rest.length >= MAX_LINE_CHARACTERS) this.end();
  }

  /** Takes what came last for a line, though no end of one followed. */
  end(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}
