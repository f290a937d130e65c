/** How long to wait after failures. */
export interface BackoffRange {
  /** At most this long after the first failure, and twice as long after each further one. */
  readonly firstMilliseconds: number;
  /** However many failures there were. */
  readonly maxMilliseconds: number;
}

/**
 * How long to wait after so many failures in a row, in milliseconds: anything up to a bound that doubles, by a random
 * number from 0 to 1, so that the nodes of a cluster do not come back together.
 */
export function backoffMilliseconds(failures: number, random: number, range: BackoffRange): number {
  const bound = range.firstMilliseconds * 2 ** Math.max(failures - 1, 0);
  return Math.round(Math.min(bound, range.maxMilliseconds) * random);
}
