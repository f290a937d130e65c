import { setTimeout as sleep } from "node:timers/promises";
import type { ApiServer } from "../../cluster/api-server.ts";
import type { Node } from "../../cluster/node.ts";
import { swapPressureSince, swapPressureStatus } from "../../cluster/node-condition.ts";
import { evictionsOf, type NodeEviction, recordEvictions } from "../../cluster/node-evictions.ts";
import { hasTaint } from "../../cluster/node-taint.ts";
import { isFinal } from "../../cluster/request-error.ts";
import type { EvictionPast } from "../../policy/eviction/resume.ts";
import type { EvictedPod } from "../../policy/eviction/state.ts";
import { IN_PROGRESS_MILLISECONDS } from "./last-requests.ts";

// Two agents share no clock but the wall clock, which may jump.

/** Returns the state that an earlier agent recorded on the node, in seconds of the clock that shows `nowSeconds` now. */
export function recordedPast(node: Node, taintEffect: string, nowSeconds: number): EvictionPast {
  // A time in the future was written before the clock was set back: it counts as now.
  const ageOf = (atMilliseconds: number) => Math.max(0, (Date.now() - atMilliseconds) / 1000);
  const evicted = evictionsOf(node).map(({ podUid, atMilliseconds }) => ({
    podUid,
    atSeconds: nowSeconds - ageOf(atMilliseconds),
  }));
  // The taint is removed before the condition: if taints are configured, only the taint counts.
  const hasOwnTaint = !hasTaint(node, undefined);
  const hasOwnCondition = taintEffect === "None" && swapPressureStatus(node) === "True";
  if (!hasOwnTaint && !hasOwnCondition) return { evicted, pressedSinceSeconds: undefined };
  const sinceMilliseconds = swapPressureSince(node) ?? Date.now();
  return { evicted, pressedSinceSeconds: nowSeconds - ageOf(sinceMilliseconds) };
}

const RETRY_MILLISECONDS = 5000;
const WRITE_MILLISECONDS = 120_000;

/** Record of this agent's evictions on the node, for the next agent; the latest one is written, one request at a time. */
export class NodeRecord {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #onError: (error: Error) => void;
  readonly #closing = new AbortController();
  #wanted: readonly NodeEviction[] | undefined;
  #writing: Promise<void> | undefined;

  /** `onError` is called for each failed request; it is repeated unless it was refused for good. */
  constructor(server: ApiServer, nodeName: string, onError: (error: Error) => void) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#onError = onError;
  }

  /** Begins to write these evictions, in seconds of the clock that shows `nowSeconds` now; repeats that for two minutes. */
  write(evicted: readonly EvictedPod[], nowSeconds: number): void {
    this.#wanted = evictionRecord(evicted, nowSeconds);
    // Two requests at once could be carried out in the wrong order.
    this.#writing ??= this.#writeWanted();
  }

  /** Gives a request in progress some seconds, and ends it then. Never fails. */
  async leave(): Promise<void> {
    await Promise.race([this.#writing, Bun.sleep(IN_PROGRESS_MILLISECONDS)]);
    this.#closing.abort();
  }

  async #writeWanted(): Promise<void> {
    while (this.#wanted !== undefined && !this.#closing.signal.aborted) {
      const record = this.#wanted;
      this.#wanted = undefined;
      await this.#writeOne(record);
    }
    this.#writing = undefined;
  }

  /** Repeats the request until it succeeds, is refused for good, is out of date or takes too long. */
  async #writeOne(record: readonly NodeEviction[]): Promise<void> {
    const deadline = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(WRITE_MILLISECONDS)]);
    while (!deadline.aborted && this.#wanted === undefined) {
      try {
        await recordEvictions(this.#server, this.#nodeName, record, deadline);
        return;
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#onError(error as Error);
        if (isFinal(error)) return;
        await sleep(RETRY_MILLISECONDS, undefined, { signal: deadline }).catch(() => {});
      }
    }
  }
}

function evictionRecord(evicted: readonly EvictedPod[], nowSeconds: number): readonly NodeEviction[] {
  return evicted.map(({ podUid, atSeconds }) => ({
    podUid,
    atMilliseconds: Date.now() - (nowSeconds - atSeconds) * 1000,
  }));
}
