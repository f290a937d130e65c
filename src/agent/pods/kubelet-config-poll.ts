import type { Kubelet } from "../../cluster/kubelet.ts";
import type { RunningKubeletConfig } from "../../cluster/kubelet-config.ts";
import { RequestError } from "../../cluster/request-error.ts";

/** Receiver of the kubelet's configuration. */
export interface KubeletConfigListener {
  /** Called with the configuration that the kubelet runs with. */
  onConfig(config: RunningKubeletConfig): void;
  /** Called if the kubelet does not report its configuration. */
  onError(error: Error): void;
}

// It changes only with a restart of the kubelet, during which its pods cannot be listed either.
const POLL_SECONDS = 300;

/** Polls the kubelet's swap behavior and eviction thresholds. */
export class KubeletConfigPoll {
  readonly #kubelet: Kubelet;
  readonly #nowSeconds: () => number;
  readonly #listener: KubeletConfigListener;
  #dueSeconds = Number.NEGATIVE_INFINITY;

  /** Takes a clock in seconds that never jumps. */
  constructor(kubelet: Kubelet, nowSeconds: () => number, listener: KubeletConfigListener) {
    this.#kubelet = kubelet;
    this.#nowSeconds = nowSeconds;
    this.#listener = listener;
  }

  /** Reads the configuration if it is due; never fails. */
  async refresh(): Promise<void> {
    if (this.#nowSeconds() < this.#dueSeconds) return;
    try {
      const config = await this.#kubelet.config();
      this.#dueSeconds = this.#nowSeconds() + POLL_SECONDS;
      this.#listener.onConfig(config);
    } catch (error) {
      // A starting kubelet is asked again with the next pod list; one that refuses would refuse again.
      if (!isTransient(error)) this.#dueSeconds = this.#nowSeconds() + POLL_SECONDS;
      this.#listener.onError(error as Error);
    }
  }

  /** Makes the next `refresh` read the configuration, because the kubelet may have been restarted. */
  expire(): void {
    this.#dueSeconds = Number.NEGATIVE_INFINITY;
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof RequestError && (error.kind === "unreachable" || error.kind === "timeout");
}
