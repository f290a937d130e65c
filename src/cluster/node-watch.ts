import { setTimeout as sleep } from "node:timers/promises";
import { type BackoffRange, backoffMilliseconds } from "../policy/backoff.ts";
import type { ApiServer } from "./api-server.ts";
import { decodeNode, getNode, type Node } from "./node.ts";
import { RequestError } from "./request-error.ts";
import { eventOfLine, readWatch } from "./watch-stream.ts";

/** Node that is watched, and the parameters of watch and retries. */
export interface NodeWatchOptions {
  readonly server: ApiServer;
  readonly nodeName: string;
  /** Minimum duration requested of a watch, in seconds; each one is randomly up to twice as long. */
  readonly watchSeconds?: number;
  /** Waits after failures; a watch that lasts as long as the longest wait resets the backoff. */
  readonly backoff?: BackoffRange;
  /** Returns numbers from 0 to 1. */
  readonly random?: () => number;
}

/** Listener of a NodeWatch. */
export interface NodeListener {
  /** Receives the node, first as it is, then after each change; `isWatched` is false for one read after a failure. */
  onNode(node: Node, isWatched: boolean): void;
  /** Receives a failure of the watch, which is tried again. */
  onError(error: RequestError): void;
}

const DEFAULTS = {
  // Short: a connection that died silently is replaced after this time.
  watchSeconds: 60,
  backoff: { firstMilliseconds: 500, maxMilliseconds: 10_000 },
  random: Math.random,
};

/**
 * Watches one node object through the API server. While the watch fails, as without the permission to watch nodes, it
 * reads the node before each retry.
 */
export class NodeWatch implements Disposable {
  readonly #options: NodeWatchOptions & typeof DEFAULTS;
  readonly #listener: NodeListener;
  readonly #closing = new AbortController();
  #failures = 0;

  /** Calls no listener before it returns. */
  constructor(options: NodeWatchOptions, listener: NodeListener) {
    this.#options = { ...DEFAULTS, ...options };
    this.#listener = listener;
    void this.#follow();
  }

  /** Aborts the current request; the listener is not called any more. */
  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#watch();
      } catch (error) {
        if (this.#isClosed) return;
        // An error of the listener: a retry would not help.
        if (!(error instanceof RequestError)) throw error;
        await this.#recover(error);
      }
    }
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  // Without a resource version, a watch begins with an event for the node as it is (kubernetes
  // staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go, Watch), so it never continues from an expired version.
  async #watch(): Promise<void> {
    const { server, nodeName, watchSeconds, random, backoff } = this.#options;
    const timeoutSeconds = Math.round(watchSeconds * (1 + random()));
    const fieldSelector = `metadata.name=${nodeName}`;
    const query = { watch: "1", fieldSelector, timeoutSeconds: String(timeoutSeconds) };
    const path = `/api/v1/nodes?${new URLSearchParams(query)}`;
    const request = { path, timeoutSeconds, closing: this.#closing.signal };
    await readWatch(
      server,
      { ...request, lastingMilliseconds: backoff.maxMilliseconds },
      {
        onLines: (lines) => {
          for (const line of lines) this.#apply(path, line);
        },
        onLasted: () => {
          this.#failures = 0;
        },
      },
    );
  }

  #apply(path: string, line: string): void {
    const { server } = this.#options;
    const event = eventOfLine(server, path, line);
    // An agent outlives its node object only for a moment.
    if (event.type === "BOOKMARK" || event.type === "DELETED" || this.#isClosed) return;
    this.#listener.onNode(
      server.decode(path, () => decodeNode(event.object), ""),
      true,
    );
  }

  async #recover(error: RequestError): Promise<void> {
    const { server, nodeName, random, backoff } = this.#options;
    const closing = this.#closing.signal;
    this.#failures++;
    this.#listener.onError(error);
    // The failure of the watch is reported already.
    const node = await getNode(server, nodeName, closing).catch(() => undefined);
    if (node !== undefined && !this.#isClosed) this.#listener.onNode(node, false);
    const retryInMilliseconds = backoffMilliseconds(this.#failures, random(), backoff);
    await sleep(retryInMilliseconds, undefined, { signal: closing }).catch(() => {});
  }
}
