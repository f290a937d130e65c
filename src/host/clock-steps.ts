// Each of the two clocks is read to the millisecond.
const JITTER_MILLISECONDS = 3;

/** Notices when somebody sets the node's clock back. */
export class ClockSteps {
  #offsetMilliseconds = offset();

  /** Whether the clock has been set back since this was asked last. */
  hasGoneBack(): boolean {
    const before = this.#offsetMilliseconds;
    this.#offsetMilliseconds = offset();
    return before - this.#offsetMilliseconds > JITTER_MILLISECONDS;
  }
}

/** By how much the time of day is ahead of a clock that never jumps. */
function offset(): number {
  return Date.now() - performance.now();
}
