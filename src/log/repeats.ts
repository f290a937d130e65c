const LOGGED_AGAIN_MILLISECONDS = 10 * 60 * 1000;

/** A condition that lasts. */
interface LoggedCondition {
  /** Texts that were logged since `loggedAtMilliseconds`. */
  readonly texts: Set<string>;
  readonly loggedAtMilliseconds: number;
  /** Occurrences since the last logged one. */
  unlogged: number;
}

/**
 * Decides which occurrences of lasting conditions are worth a log line: the first, each with a new text, and one every
 * ten minutes.
 */
export class Repeats {
  readonly #now: () => number;
  readonly #conditions = new Map<string, LoggedCondition>();

  /** Takes a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Notes that a condition began or still lasts. Returns the number of unlogged occurrences before it if it is to be
   * logged with this text now, undefined otherwise.
   */
  begin(key: string, text: string): number | undefined {
    const now = this.#now();
    const known = this.#conditions.get(key);
    if (known === undefined || now - known.loggedAtMilliseconds >= LOGGED_AGAIN_MILLISECONDS) {
      this.#conditions.set(key, { texts: new Set([text]), loggedAtMilliseconds: now, unlogged: 0 });
      return known?.unlogged ?? 0;
    }
    if (known.texts.has(text)) {
      known.unlogged += 1;
      return undefined;
    }
    // Two texts that alternate are logged once each, not every time.
    known.texts.add(text);
    const { unlogged } = known;
    known.unlogged = 0;
    return unlogged;
  }

  /** Notes that a condition is over; returns the number of its unlogged occurrences, undefined if it never began. */
  end(key: string): number | undefined {
    const unlogged = this.#conditions.get(key)?.unlogged;
    this.#conditions.delete(key);
    return unlogged;
  }
}
