/** Something that is so at one moment, in seconds of a clock that never jumps. */
export interface Timed {
  readonly atSeconds: number;
}

/** Two moments, about so many seconds apart, or as far as is remembered. */
export interface Window<T extends Timed> {
  readonly from: T;
  readonly to: T;
}

/** The moments up to now, oldest first, no further back than a window of so many seconds reaches. */
export function withLatest<T extends Timed>(moments: readonly T[], now: T, seconds: number): readonly T[] {
  const first = moments.findLastIndex(({ atSeconds }) => atSeconds <= now.atSeconds - seconds);
  return [...moments.slice(Math.max(0, first)), now];
}

/** The window of so many seconds that ends with the latest moment; undefined where only that one is remembered. */
export function windowOf<T extends Timed>(moments: readonly T[], seconds: number): Window<T> | undefined {
  const to = moments.at(-1);
  if (to === undefined) return undefined;
  const from = moments.findLast(({ atSeconds }) => atSeconds <= to.atSeconds - seconds) ?? moments[0];
  return from === undefined || from === to ? undefined : { from, to };
}
