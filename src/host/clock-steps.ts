// Both clocks have a resolution of a millisecond.
const JITTER_MILLISECONDS = 3;

/** Detects that the node's clock was set back. */
export class ClockSteps {
  #offsetMilliseconds = offset();

  /** Returns true if the clock was set back since the previous call. */
  hasGoneBack(): boolean {
    const before = this.#offsetMilliseconds;
    this.#offsetMilliseconds = offset();
    return before - this.#offsetMilliseconds > JITTER_MILLISECONDS;
  }
}

/** Offset of the wall clock from a monotonic clock. */
function offset(): number {
  return Date.now() - performance.now();
}
