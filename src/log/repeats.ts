const TOLD_AGAIN_MILLISECONDS = 10 * 60 * 1000;

/** A condition that lasts. */
interface Condition {
  /** What has been told of it lately. */
  readonly texts: Set<string>;
  readonly toldAtMilliseconds: number;
  /** How often it has come since it was told. */
  untold: number;
}

/**
 * Tells which lines of a condition that is met again and again are worth writing: the first, those that say something
 * else, one every ten minutes, and its end.
 */
export class Repeats {
  readonly #now: () => number;
  readonly #conditions = new Map<string, Condition>();

  /** Takes a clock, in milliseconds, that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Notes that a condition is met; its text is what would be written of it. When it is to be written now, returns how
   * often the condition came unwritten before; undefined otherwise.
   */
  meet(key: string, text: string): number | undefined {
    const now = this.#now();
    const known = this.#conditions.get(key);
    if (known === undefined || now - known.toldAtMilliseconds >= TOLD_AGAIN_MILLISECONDS) {
      this.#conditions.set(key, { texts: new Set([text]), toldAtMilliseconds: now, untold: 0 });
      return known?.untold ?? 0;
    }
    if (known.texts.has(text)) {
      known.untold += 1;
      return undefined;
    }
    // Two texts that take turns are told once each, not at every turn.
    known.texts.add(text);
    const { untold } = known;
    known.untold = 0;
    return untold;
  }

  /** Notes that a condition is over. When it was met before, returns how often it came unwritten; else undefined. */
  end(key: string): number | undefined {
    const untold = this.#conditions.get(key)?.untold;
    this.#conditions.delete(key);
    return untold;
  }
}
