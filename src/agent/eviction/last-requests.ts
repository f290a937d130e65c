import { setTimeout as sleep } from "node:timers/promises";
import { isFinal } from "../../cluster/request-error.ts";

/** Time for the last requests of an agent that ends: less than terminationGracePeriodSeconds in manifests/base. */
export const LEAVE_MILLISECONDS = 25_000;

/** Part of that time for a request that is still in progress when the agent ends. */
export const IN_PROGRESS_MILLISECONDS = 5000;

// A try is two requests. A lost connection must not use up the whole time, and a slow node needs seconds for each.
const TRY_MILLISECONDS = 10_000;
const PAUSE_MILLISECONDS = 500;

/** Repeats a request until it succeeds, the server refuses it for good, or the deadline is aborted. */
export async function makeLastRequest(
  deadline: AbortSignal,
  request: (closing: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!deadline.aborted) {
    try {
      await request(AbortSignal.any([deadline, AbortSignal.timeout(TRY_MILLISECONDS)]));
      return;
    } catch (error) {
      if (isFinal(error)) return;
      await sleep(PAUSE_MILLISECONDS, undefined, { signal: deadline }).catch(() => {});
    }
  }
}
