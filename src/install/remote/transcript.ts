/** A line that a host, or ssh itself, has written. */
export interface OutputLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

// More than any command of wasp's writes: who sends more must not fill the memory.
const MAX_CHARACTERS = 1 << 20;

/** What a host has written, as far as it is kept: the first 1 Mi characters. */
export class Transcript {
  #lines: OutputLine[] = [];
  #characters = 0;

  /** Keeps a line, or what there is room for. */
  add(stream: OutputLine["stream"], text: string): void {
    const room = MAX_CHARACTERS - this.#characters;
    if (room <= 0) return;
    this.#characters += text.length + 1;
    this.#lines.push({ stream, text: text.slice(0, room) });
    if (text.length >= room)
      this.#lines.push({ stream: "stderr", text: "wasp: the host wrote more than is kept" });
  }

  /** Forgets what came so far. */
  clear(): void {
    this.#lines = [];
    this.#characters = 0;
  }

  /** What came, in its order. */
  lines(): readonly OutputLine[] {
    return this.#lines;
  }
}
