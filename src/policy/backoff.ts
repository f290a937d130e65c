/** Range of the delay after failures. */
export interface BackoffRange {
  /** Maximum delay after the first failure; it doubles with each further one. */
  readonly firstMilliseconds: number;
  /** Maximum delay after any number of failures. */
  readonly maxMilliseconds: number;
}

/**
 * Computes the delay after so many failures in a row, in milliseconds: a random part, from 0 to 1, of a bound that
 * doubles, so that the nodes of a cluster do not retry at the same time.
 */
export function backoffMilliseconds(failures: number, random: number, range: BackoffRange): number {
  const bound = range.firstMilliseconds * 2 ** Math.max(failures - 1, 0);
  return Math.round(Math.min(bound, range.maxMilliseconds) * random);
}
