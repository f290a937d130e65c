/**
 * Record of foreign writes to a limit and their corrections by wasp; times in seconds of a monotonic clock.
 */
export interface Contest {
  /** Times of the latest corrections, oldest first. */
  readonly restoredSeconds: readonly number[];
  /** True while foreign writes keep coming, so that wasp corrects it less often. */
  readonly isContested: boolean;
}

/** State of a limit without foreign writes. */
export const UNCONTESTED: Contest = { restoredSeconds: [], isContested: false };

// Long enough for the corrections to cost nothing, short enough for the limit to be right soon after the other writer
// stops.
const WINDOW_SECONDS = 60;
const CALM_SECONDS = 2 * WINDOW_SECONDS;

/**
 * Returns the time of the next correction: at once for the first maxPerMinute within a minute, then once a minute,
 * because two writers that correct each other would never end.
 */
export function restoreAt(contest: Contest, nowSeconds: number, maxPerMinute: number): number {
  const last = contest.restoredSeconds.at(-1);
  return last === undefined || !isTooOften(contest, nowSeconds, maxPerMinute)
    ? nowSeconds
    : Math.max(nowSeconds, last + WINDOW_SECONDS);
}

/** Updates the state when a foreign write is found. */
export function contested(contest: Contest, nowSeconds: number, maxPerMinute: number): Contest {
  return { ...contest, isContested: isTooOften(contest, nowSeconds, maxPerMinute) };
}

/** Updates the state when a write has been corrected. */
export function restored(contest: Contest, nowSeconds: number): Contest {
  return { ...contest, restoredSeconds: [...recent(contest, nowSeconds), nowSeconds] };
}

/** Updates the state while the limit is right: a contest ends two minutes after the last correction. */
export function calmed(contest: Contest, nowSeconds: number): Contest {
  const last = contest.restoredSeconds.at(-1);
  return last === undefined || nowSeconds - last < CALM_SECONDS ? contest : UNCONTESTED;
}

function isTooOften(contest: Contest, nowSeconds: number, maxPerMinute: number): boolean {
  return contest.isContested || recent(contest, nowSeconds).length >= maxPerMinute;
}

function recent(contest: Contest, nowSeconds: number): number[] {
  return contest.restoredSeconds.filter((seconds) => nowSeconds - seconds < WINDOW_SECONDS);
}
