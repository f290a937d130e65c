import type { ApiServer } from "../../cluster/api-server.ts";

const PROBE_SECONDS = 10;
// One for the eviction, one for its record, and one for the condition and taint.
const CONNECTIONS = 3;

/**
 * Connections to the API server that are open before they are needed: on a node that thrashes, a TLS handshake takes seconds.
 * A probe also keeps in memory what a request needs, and finds connections that were lost.
 */
export class WarmConnections {
  readonly #server: ApiServer;
  readonly #nowSeconds: () => number;
  readonly #closing = new AbortController();
  #probing: Promise<unknown> | undefined;
  #probeSeconds = Number.NEGATIVE_INFINITY;

  /** Takes a client that keeps its connections, and a clock in seconds that never jumps. */
  constructor(server: ApiServer, nowSeconds: () => number) {
    this.#server = server;
    this.#nowSeconds = nowSeconds;
  }

  /** Probes the connections if that is due; to be called each second while they may be needed soon. Never fails. */
  async keep(): Promise<void> {
    if (this.#probing !== undefined || this.#nowSeconds() < this.#probeSeconds) return;
    this.#probing = Promise.all(Array.from({ length: CONNECTIONS }, () => this.#probe()));
    await this.#probing;
    this.#probing = undefined;
    this.#probeSeconds = this.#nowSeconds() + PROBE_SECONDS;
  }

  /** Aborts probes in progress. */
  close(): void {
    this.#closing.abort();
  }

  async #probe(): Promise<void> {
    // Cheap, and allowed to every account. An error is no matter here: requests report their own.
    await this.#server.text("/version", this.#closing.signal).catch(() => {});
  }
}
