import { type Kubelet, KubeletError } from "../../cluster/kubelet.ts";
import type { RunningKubeletConfig } from "../../cluster/kubelet-config.ts";

/** Whom a KubeletCheck tells. */
export interface KubeletCheckListener {
  /** The kubelet's configuration as it runs now. */
  onConfig(config: RunningKubeletConfig): void;
  /** The kubelet does not tell its configuration. */
  onError(error: Error): void;
}

// It changes with a restart of the kubelet alone, after which its pods cannot be asked for either for a while.
const CHECK_SECONDS = 300;

/** Asks the kubelet now and then whether it limits swap itself, and when it evicts. */
export class KubeletCheck {
  readonly #kubelet: Kubelet;
  readonly #nowSeconds: () => number;
  readonly #listener: KubeletCheckListener;
  #dueSeconds = Number.NEGATIVE_INFINITY;

  /** The clock is one that never jumps, in seconds. */
  constructor(kubelet: Kubelet, nowSeconds: () => number, listener: KubeletCheckListener) {
    this.#kubelet = kubelet;
    this.#nowSeconds = nowSeconds;
    this.#listener = listener;
  }

  /** Asks if it is time to; never fails. */
  async refresh(): Promise<void> {
    if (this.#nowSeconds() < this.#dueSeconds) return;
    try {
      const config = await this.#kubelet.config();
      this.#dueSeconds = this.#nowSeconds() + CHECK_SECONDS;
      this.#listener.onConfig(config);
    } catch (error) {
      // One that is starting is asked again with the next list of its pods; one that refuses will do so again.
      if (!isPassing(error)) this.#dueSeconds = this.#nowSeconds() + CHECK_SECONDS;
      this.#listener.onError(error as Error);
    }
  }

  /** Has the next refresh ask: the kubelet may have been restarted. */
  expire(): void {
    this.#dueSeconds = Number.NEGATIVE_INFINITY;
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof KubeletError && (error.kind === "unreachable" || error.kind === "timeout");
}
