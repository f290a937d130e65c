import type { Kubelet } from "../../cluster/kubelet.ts";
import type { RunningKubeletConfig } from "../../cluster/kubelet-config.ts";
import { RequestError } from "../../cluster/request-error.ts";
import { type ServerAddress, ServerPresence } from "../../cluster/server-presence.ts";

/** Receiver of the kubelet's configuration. */
export interface KubeletConfigListener {
  /** Called with the configuration that the kubelet runs with. */
  onConfig(config: RunningKubeletConfig): void;
  /** Called if the kubelet does not report its configuration. */
  onError(error: Error): void;
}

// It changes only with a restart of the kubelet, which ends the connection that is held for that.
const POLL_SECONDS = 300;
const REST_SECONDS = 2;

/** Polls the kubelet's swap behavior and eviction thresholds. */
export class KubeletConfigPoll implements Disposable {
  readonly #kubelet: Kubelet;
  readonly #nowSeconds: () => number;
  readonly #listener: KubeletConfigListener;
  #dueSeconds = Number.NEGATIVE_INFINITY;
  #readSeconds = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #presence: ServerPresence | undefined;
  #isClosed = false;

  /** Takes a clock in seconds that never jumps. */
  constructor(kubelet: Kubelet, nowSeconds: () => number, listener: KubeletConfigListener) {
    this.#kubelet = kubelet;
    this.#nowSeconds = nowSeconds;
    this.#listener = listener;
  }

  /** Reads the configuration if it is due; never fails. */
  refresh(): Promise<void> {
    if (this.#nowSeconds() < this.#dueSeconds) return Promise.resolve();
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads the configuration soon, because the kubelet seems to have another one. */
  ask(): void {
    this.expire();
    if (this.#timer !== undefined || this.#isClosed) return;
    const restSeconds = Math.max(0, this.#readSeconds + REST_SECONDS - this.#nowSeconds());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, restSeconds * 1000);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#presence?.[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    this.#readSeconds = this.#nowSeconds();
    // A restart during the request expires this again.
    this.#dueSeconds = this.#readSeconds + POLL_SECONDS;
    try {
      const config = await this.#kubelet.config();
      if (!this.#isClosed) this.#listener.onConfig(config);
    } catch (error) {
      // A starting kubelet is asked again with the next pod list; one that refuses would refuse again.
      if (isTransient(error)) this.expire();
      if (!this.#isClosed) this.#listener.onError(error as Error);
    }
  }

  /** Also reads it as soon as a kubelet listens again at this address. */
  followRestarts(address: ServerAddress): void {
    this.#presence ??= new ServerPresence(address, {
      onGone: () => this.expire(),
      onReturned: () => this.ask(),
    });
  }

  /** Makes the next `refresh` read the configuration, because the kubelet may have been restarted. */
  expire(): void {
    this.#dueSeconds = Number.NEGATIVE_INFINITY;
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof RequestError && (error.kind === "unreachable" || error.kind === "timeout");
}
