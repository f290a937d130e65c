/** A value at one moment, in seconds of a monotonic clock. */
export interface Timed {
  readonly atSeconds: number;
}

/** Two samples, about a window's length apart, or as far apart as the history allows. */
export interface TimeWindow<T extends Timed> {
  readonly from: T;
  readonly to: T;
}

/** Appends the latest sample, oldest first, and drops those that a window of so many seconds does not reach. */
export function withLatest<T extends Timed>(samples: readonly T[], now: T, seconds: number): readonly T[] {
  const first = samples.findLastIndex(({ atSeconds }) => atSeconds <= now.atSeconds - seconds);
  return [...samples.slice(Math.max(0, first)), now];
}

/** Returns the window of so many seconds that ends with the latest sample; undefined if there is only one sample. */
export function windowOf<T extends Timed>(samples: readonly T[], seconds: number): TimeWindow<T> | undefined {
  const to = samples.at(-1);
  if (to === undefined) return undefined;
  const from = samples.findLast(({ atSeconds }) => atSeconds <= to.atSeconds - seconds) ?? samples[0];
  return from === undefined || from === to ? undefined : { from, to };
}
