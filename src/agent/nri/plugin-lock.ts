import { setTimeout as sleep } from "node:timers/promises";
import { takePluginLock } from "../../host/lock.ts";
import type { LogEvent } from "../../log/events.ts";

const RETRY_MILLISECONDS = 1000;

/**
 * Waits until no other wasp of the node is the runtime's plugin, and returns the lock that keeps others from becoming it;
 * undefined if aborted. Throws a SystemError if the node has no cgroup v2.
 */
export async function waitForPluginLock(
  fsroot: string,
  log: LogEvent,
  signal: AbortSignal,
): Promise<Disposable | undefined> {
  for (let isLogged = false; ; isLogged = true) {
    if (signal.aborted) return undefined;
    const lock = takePluginLock(fsroot);
    if (lock !== undefined) return lock;
    if (!isLogged) log("nri-waiting", {});
    // Rejects if aborted.
    await sleep(RETRY_MILLISECONDS, undefined, { signal }).catch(() => {});
  }
}
