import type { PodList } from "../../cluster/pod-list.ts";

/** What a PodPoller asks, when, and whom it tells. */
export interface PodPollerOptions {
  readonly list: () => Promise<PodList>;
  /** Between two lists when nobody asks for one. */
  readonly pollSeconds: () => number;
  /** Whether what came is not enough yet: a container that has just appeared is in no pod's status. */
  readonly isWanting: () => boolean;
  readonly onPods: (list: PodList, durationSeconds: number) => void;
  /** A list that failed, and in how many seconds there will be another try. */
  readonly onError: (error: Error, retrySeconds: number) => void;
  /** A number from 0 up to 1, to keep many agents' retries apart. */
  readonly random: () => number;
}

const FIRST_LOOK_MILLISECONDS = 50;
const LAST_LOOK_MILLISECONDS = 5000;
const FIRST_RETRY_SECONDS = 1;
const LAST_RETRY_SECONDS = 30;
// However many containers come, the lists take a third of the time at most.
const REST_FACTOR = 2;

/**
 * Asks for the pods of the node: now and then, at once when somebody needs them, and again, less and less often, while
 * what came is not enough. One question at a time.
 */
export class PodPoller implements Disposable {
  readonly #options: PodPollerOptions;
  #timer: NodeJS.Timeout | undefined;
  #isListing = false;
  #isClosed = false;
  #isAsked = false;
  #restMilliseconds = 0;
  #finishedMilliseconds = Number.NEGATIVE_INFINITY;
  #lookMilliseconds = FIRST_LOOK_MILLISECONDS;
  #failures = 0;

  /** Asks for the first time at once. */
  constructor(options: PodPollerOptions) {
    this.#options = options;
    this.#schedule(0);
  }

  /** Asks soon: at once, but for a rest after the last list, or a retry that is due anyway. */
  ask(): void {
    this.#lookMilliseconds = FIRST_LOOK_MILLISECONDS;
    if (this.#isListing) this.#isAsked = true;
    else if (this.#failures === 0) this.#schedule(0);
  }

  /** Asks no more, and tells nothing any more. */
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
    const outcome = await this.#options.list().catch((error: Error) => error);
    this.#finishedMilliseconds = performance.now();
    this.#restMilliseconds = REST_FACTOR * (this.#finishedMilliseconds - started);
    this.#isListing = false;
    if (this.#isClosed) return;
    if (outcome instanceof Error) this.#retry(outcome);
    else this.#take(outcome, (this.#finishedMilliseconds - started) / 1000);
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
    if (this.#isAsked || !this.#options.isWanting()) {
      this.#schedule(this.#isAsked ? 0 : this.#options.pollSeconds() * 1000);
    } else {
      this.#schedule(this.#lookMilliseconds);
      this.#lookMilliseconds = Math.min(LAST_LOOK_MILLISECONDS, 2 * this.#lookMilliseconds);
    }
  }
}
