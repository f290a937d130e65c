import { setTimeout as sleep } from "node:timers/promises";
import { takePluginLock } from "../../host/lock.ts";
import type { Tell } from "../../log/events.ts";

const TRY_MILLISECONDS = 1000;

/**
 * Waits until no other wasp of the node is the runtime's plugin, and keeps others from becoming it until disposed of;
 * undefined when it was told to wait no longer. Throws a SystemError where the node has no cgroup v2.
 */
export async function takeNriTurn(
  fsroot: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<Disposable | undefined> {
  for (let isTold = false; ; isTold = true) {
    if (signal.aborted) return undefined;
    const lock = takePluginLock(fsroot);
    if (lock !== undefined) return lock;
    if (!isTold) tell("nri-waiting", {});
    // Told to wait no longer.
    await sleep(TRY_MILLISECONDS, undefined, { signal }).catch(() => {});
  }
}
