/**
 * Time-outs of tests that fit the machine: `tests/run.ts` times a fixed piece of work before the first test and hands
 * on how much slower than the reference machine this one is.
 */

/** The environment variable that carries the slowness to every test process. */
const SLOWNESS_VARIABLE = "WASP_TEST_SLOWNESS";

/** How many times slower than the reference machine this one is; 1 where nothing was measured, and never less. */
const slowness = Math.max(1, Number(process.env[SLOWNESS_VARIABLE]) || 1);

/** Returns a time-out in milliseconds for what takes at most so many seconds on the reference machine. */
export function patience(seconds: number): number {
  return Math.ceil(seconds * 1000 * slowness);
}
