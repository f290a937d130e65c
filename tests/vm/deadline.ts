/** Waiting with deadlines that fit the machine. */
import { patience } from "../patience.ts";

/** Pause between two looks, which is short beside anything that an emulated processor does. */
const POLL_MILLISECONDS = 100;

/** Returns whole seconds for a deadline inside of the guest, scaled as `patience` scales time-outs. */
export function scaledSeconds(seconds: number): number {
  return Math.ceil(patience(seconds) / 1000);
}

/**
 * Repeats an attempt until it returns something other than `undefined`, and returns that. Throws what `describe` returns
 * once so many seconds of the reference machine have passed.
 */
export async function retried<Result>(
  seconds: number,
  attempt: () => Promise<Result | undefined>,
  describe: () => string | Promise<string>,
): Promise<Result> {
  const deadline = Date.now() + patience(seconds);
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (Date.now() > deadline) throw new Error(`after ${scaledSeconds(seconds)} s: ${await describe()}`);
    await Bun.sleep(POLL_MILLISECONDS);
  }
}

/** Returns true as a result of `retried`, or undefined if a condition does not hold yet. */
export function ifHolds(isMet: boolean): true | undefined {
  return isMet || undefined;
}

/** Something that takes as long as it takes, as long as it moves. */
export interface Moving {
  /** Name for the error message. */
  readonly name: string;
  readonly isDone: () => Promise<boolean>;
  /** Returns a number that changes with every step. */
  readonly progress: () => Promise<number>;
  /** Longest time without a step, on the reference machine. */
  readonly idleSeconds: number;
  /** Longest time in all, on the reference machine. */
  readonly boundSeconds: number;
}

/** Waits until something is done; throws when it stands still for too long, or exceeds its bound. */
export async function untilDone(moving: Moving): Promise<void> {
  const { name, isDone, progress, idleSeconds, boundSeconds } = moving;
  const startedAt = Date.now();
  let last = { progress: await progress(), at: startedAt };
  while (!(await isDone())) {
    const now = Date.now();
    const current = await progress();
    if (current !== last.progress) last = { progress: current, at: now };
    if (now - last.at > patience(idleSeconds))
      throw new Error(`${name}: no progress for ${scaledSeconds(idleSeconds)} s`);
    if (now - startedAt > patience(boundSeconds))
      throw new Error(`${name}: not done after ${scaledSeconds(boundSeconds)} s`);
    await Bun.sleep(POLL_MILLISECONDS);
  }
}
