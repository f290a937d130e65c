/** What is remembered of the writes to one limit that wasp undid; in seconds of a clock that never jumps. */
export interface Contest {
  /** When the latest were undone, oldest first. */
  readonly restoredSeconds: readonly number[];
  /** Somebody keeps writing: wasp answers slowly. */
  readonly isContested: boolean;
}

/** A limit that nobody else has written. */
export const UNCONTESTED: Contest = { restoredSeconds: [], isContested: false };

// Long enough that the answer costs nothing, short enough that the last word is wasp's soon after the other gives up.
const WINDOW_SECONDS = 60;
const CALM_SECONDS = 2 * WINDOW_SECONDS;

/**
 * Decides when to undo another's write: at once, up to maxPerMinute of them a minute; beyond that once a minute, because
 * two that correct each other would never end.
 */
export function restoreAt(contest: Contest, nowSeconds: number, maxPerMinute: number): number {
  const last = contest.restoredSeconds.at(-1);
  return last === undefined || !isTooOften(contest, nowSeconds, maxPerMinute)
    ? nowSeconds
    : Math.max(nowSeconds, last + WINDOW_SECONDS);
}

/** What is to be remembered once another's write has been found: whether it is a contest now. */
export function contested(contest: Contest, nowSeconds: number, maxPerMinute: number): Contest {
  return { ...contest, isContested: isTooOften(contest, nowSeconds, maxPerMinute) };
}

/** What is to be remembered once a write has been undone. */
export function restored(contest: Contest, nowSeconds: number): Contest {
  return { ...contest, restoredSeconds: [...recent(contest, nowSeconds), nowSeconds] };
}

/** What is to be remembered while the limit is right: a contest ends when nothing was undone for two minutes. */
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
