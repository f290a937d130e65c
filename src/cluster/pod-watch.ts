import { setTimeout as sleep } from "node:timers/promises";
import { type BackoffRange, backoffMilliseconds } from "../policy/backoff.ts";
import { ApiServer, type ApiServerOptions } from "./api-server.ts";
import type { PodList } from "./pod-list.ts";
import { decodePodListPage, type PodListPage } from "./pod-list-page.ts";
import { PodListReader } from "./pod-list-reader.ts";
import { PodSet } from "./pod-set.ts";
import { RequestError } from "./request-error.ts";
import { eventOfLine, readWatch } from "./watch-stream.ts";

/** Node whose pods are watched, and the parameters of list, watch and retries. */
export interface PodWatchOptions extends ApiServerOptions {
  readonly nodeName: string;
  /** Maximum number of pods in one response. */
  readonly pageSize?: number;
  /** Minimum duration requested of a watch, in seconds; each one is randomly up to twice as long. */
  readonly watchSeconds?: number;
  /** Waits after failures; a watch that lasts as long as the longest wait resets the backoff. */
  readonly backoff?: BackoffRange;
  /** Returns numbers from 0 to 1. */
  readonly random?: () => number;
}

/** Listener of a PodWatch. */
export interface PodListener {
  /** Receives all pods of the node, first once the list is complete, then after each change. */
  onPods(list: PodList): void;
  /** Receives a failure: until the next onPods, the pods received last may be out of date. */
  onError(error: RequestError, retryInMilliseconds: number): void;
}

const DEFAULTS = {
  pageSize: 100,
  watchSeconds: 300,
  backoff: { firstMilliseconds: 250, maxMilliseconds: 30_000 },
  random: Math.random,
};
// Limit of a server's Retry-After: no answer may stop the watch for hours.
const MAX_RETRY_AFTER_SECONDS = 300;
const HTTP_GONE = 410;

/**
 * Watches the pods of one node through the API server: a list, then a watch from there, restarted whenever it ends. It
 * requests and keeps only that node's pods, whatever the cluster's size.
 */
export class PodWatch {
  readonly #options: PodWatchOptions & typeof DEFAULTS;
  readonly #listener: PodListener;
  readonly #server: ApiServer;
  readonly #closing = new AbortController();
  #pods = new PodSet();
  /** Version that the pods are up to date with; undefined if they have to be listed. */
  #resourceVersion: string | undefined;
  /** Version after which something came that could not be read. */
  #unreadableAfter: string | undefined;
  #hasExpired = false;
  #failures = 0;

  /** Throws an Error if the options are invalid; calls no listener before it returns. */
  constructor(options: PodWatchOptions, listener: PodListener) {
    // For an empty name the API server would select the pods that have no node yet.
    if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(options.nodeName)) {
      throw new Error(`${JSON.stringify(options.nodeName)} is not the name of a node`);
    }
    this.#options = { ...DEFAULTS, ...options };
    this.#listener = listener;
    this.#server = new ApiServer(options);
    void this.#follow();
  }

  /** Aborts the current request; the listener is not called any more. */
  close(): void {
    this.#closing.abort();
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#resourceVersion ??= await this.#list();
        await this.#watch(this.#resourceVersion);
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

  /** Lists all pods and returns their resource version. */
  async #list(): Promise<string> {
    const pods = new PodSet();
    // The API server answers version 0 from its cache, which has an index by node but may be out of date; for any other
    // list with a limit it reads all pods of the cluster from etcd (kubernetes
    // staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go, shouldDelegateList). The watch adds what is missing,
    // unless the version has expired.
    let position: Record<string, string> = this.#hasExpired ? {} : { resourceVersion: "0" };
    for (;;) {
      const path = this.#path({ limit: String(this.#options.pageSize), ...position });
      const page = await this.#listPage(path, pods);
      if (page.continue === undefined) {
        this.#pods = pods;
        this.#notify();
        return page.resourceVersion;
      }
      position = { continue: page.continue };
    }
  }

  /** Reads a page into a set of pods; one that is too large stays as it was. */
  async #listPage(path: string, pods: PodSet): Promise<PodListPage> {
    const reader = new PodListReader(this.#pods.decoded, { origin: "api-server" });
    const take = (piece: Uint8Array) => this.#server.decode(path, () => reader.push(piece), "");
    await this.#server.pieces(path, take, this.#closing.signal);
    const page = this.#server.decode(path, decodePodListPage, reader.frame);
    pods.putAll(reader.decoded.values());
    return page;
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { watchSeconds, random, backoff } = this.#options;
    const timeoutSeconds = Math.round(watchSeconds * (1 + random()));
    const path = this.#path({
      watch: "1",
      resourceVersion,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(timeoutSeconds),
    });
    const request = { path, timeoutSeconds, closing: this.#closing.signal };
    await readWatch(
      this.#server,
      { ...request, lastingMilliseconds: backoff.maxMilliseconds },
      {
        onLines: (lines) => this.#apply(path, lines),
        onLasted: () => {
          this.#failures = 0;
        },
      },
    );
  }

  #apply(path: string, lines: readonly string[]): void {
    let isChanged = false;
    try {
      for (const line of lines) isChanged = this.#applyLine(path, line) || isChanged;
    } finally {
      if (isChanged) this.#notify();
    }
  }

  /** Applies one event; returns true if it changed pods. */
  #applyLine(path: string, line: string): boolean {
    const event = eventOfLine(this.#server, path, line);
    if (event.type === "DELETED") this.#pods.remove(event.object);
    else if (event.type !== "BOOKMARK") this.#pods.put(event.object);
    this.#resourceVersion = event.resourceVersion;
    return event.type !== "BOOKMARK";
  }

  #notify(): void {
    if (!this.#isClosed) this.#listener.onPods(this.#pods.list());
  }

  async #recover(error: RequestError): Promise<void> {
    const { random, backoff } = this.#options;
    this.#forgetVersionAfter(error);
    this.#failures++;
    const retryAfterSeconds = Math.min(error.refusal?.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS);
    const retryInMilliseconds =
      retryAfterSeconds * 1000 + backoffMilliseconds(this.#failures, random(), backoff);
    this.#listener.onError(error, retryInMilliseconds);
    await sleep(retryInMilliseconds, undefined, { signal: this.#closing.signal }).catch(() => {});
  }

  /** Forces a new list if a watch from the same resource version would fail again. */
  #forgetVersionAfter(error: RequestError): void {
    const isExpired = error.refusal?.status === HTTP_GONE;
    const isUnreadable = error.kind === "malformed" || error.kind === "too-large";
    const isUnreadableAgain = isUnreadable && this.#unreadableAfter === this.#resourceVersion;
    if (isUnreadable) this.#unreadableAfter = this.#resourceVersion;
    if (isExpired) this.#hasExpired = true;
    if (isExpired || isUnreadableAgain) this.#resourceVersion = undefined;
  }

  #path(query: Record<string, string>): string {
    const fieldSelector = `spec.nodeName=${this.#options.nodeName}`;
    return `/api/v1/pods?${new URLSearchParams({ fieldSelector, ...query })}`;
  }
}
