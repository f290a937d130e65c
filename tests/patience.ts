/**
 * Time-outs of tests that fit the machine: `tests/run.ts` times a fixed piece of work before the first test and passes
 * the ratio to the reference machine to every test process.
 */

/** Environment variable with the slowness, for every test process. */
export const SLOWNESS_VARIABLE = "WASP_TEST_SLOWNESS";

/** Returns how many times slower than the reference machine this one is: at least 1, and 1 if it was not measured. */
export function slowness(): number {
  return Math.max(1, Number(process.env[SLOWNESS_VARIABLE]) || 1);
}

/** Returns a time-out in milliseconds for what takes at most so many seconds on the reference machine. */
export function patience(seconds: number): number {
  return Math.ceil(seconds * 1000 * slowness());
}
