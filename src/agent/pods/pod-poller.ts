import type { PodList } from "../../cluster/pod-list.ts";

/** Options of a pod poller. */
export interface PodPollerOptions {
  readonly list: () => Promise<PodList>;
  /** Returns the time between two lists without `ask`. */
  readonly pollSeconds: () => number;
  /** Returns true while the last list lacks a container that has just appeared. */
  readonly isIncomplete: () => boolean;
  readonly onPods: (list: PodList, durationSeconds: number) => void;
  /** Called if a list fails, with the time to the next attempt. */
  readonly onError: (error: Error, retrySeconds: number) => void;
  /** Returns a random number from 0 to 1, which spreads the retries of many agents. */
  readonly random: () => number;
}

const FIRST_POLL_MILLISECONDS = 50;
const LAST_POLL_MILLISECONDS = 5000;
const FIRST_RETRY_SECONDS = 1;
const LAST_RETRY_SECONDS = 30;
// However many containers appear, lists take a third of the time at most.
const REST_FACTOR = 2;

/**
 * Lists the pods of the node: periodically, at once when asked to, and again with a growing delay while the list is
 * incomplete. Makes one request at a time.
 */
export class PodPoller implements Disposable {
  readonly #options: PodPollerOptions;
  #timer: NodeJS.Timeout | undefined;
  #isListing = false;
  #isClosed = false;
  #isAsked = false;
  #restMilliseconds = 0;
  #finishedMilliseconds = Number.NEGATIVE_INFINITY;
  #pollMilliseconds = FIRST_POLL_MILLISECONDS;
  #failures = 0;

  /** Requests the first list at once. */
  constructor(options: PodPollerOptions) {
    this.#options = options;
    this.#schedule(0);
  }

  /** Requests a list soon: after the rest from the last one, or at the next retry. */
  ask(): void {
    this.#pollMilliseconds = FIRST_POLL_MILLISECONDS;
    if (this.#isListing) this.#isAsked = true;
    else if (this.#failures === 0) this.#schedule(0);
  }

  /** Stops, and makes no more calls. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #schedule(milliseconds: number): void {
    if (this.#isClosed) return;
    const rested = this.#finishedMilliseconds + this.#restMilliseconds - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#list(), Math.max(milliseconds, rested));
  }

  async #list(): Promise<void> {
    this.#isListing = true;
    this.#isAsked = false;
    const started = performance.now();
    const result = await this.#options.list().catch((error: Error) => error);
    this.#finishedMilliseconds = performance.now();
    this.#restMilliseconds = REST_FACTOR * (this.#finishedMilliseconds - started);
    this.#isListing = false;
    if (this.#isClosed) return;
    if (result instanceof Error) this.#retry(result);
    else this.#take(result, (this.#finishedMilliseconds - started) / 1000);
  }

  #retry(error: Error): void {
    const limitSeconds = Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** this.#failures);
    this.#failures += 1;
    const retrySeconds = limitSeconds * (0.5 + this.#options.random() / 2);
    this.#options.onError(error, retrySeconds);
    this.#schedule(retrySeconds * 1000);
  }

  #take(pods: PodList, durationSeconds: number): void {
    this.#failures = 0;
    this.#options.onPods(pods, durationSeconds);
    if (this.#isAsked || !this.#options.isIncomplete()) {
      this.#schedule(this.#isAsked ? 0 : this.#options.pollSeconds() * 1000);
    } else {
      this.#schedule(this.#pollMilliseconds);
      this.#pollMilliseconds = Math.min(LAST_POLL_MILLISECONDS, 2 * this.#pollMilliseconds);
    }
  }
}
