/** A line of output of a host or of ssh itself. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

// More than any command of wasp prints: a host that sends more must not exhaust memory.
const MAX_CHARACTERS = 1 << 20;

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
