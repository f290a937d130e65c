import { setTimeout as sleep } from "node:timers/promises";
import { type BackoffRange, backoffMilliseconds } from "../policy/backoff.ts";
import { ApiServer, type ApiServerOptions } from "./api-server.ts";
import { decodePodEvent, decodePodPage } from "./pod-events.ts";
import type { PodList } from "./pod-list.ts";
import { PodSet } from "./pod-set.ts";
import { RequestError } from "./request-error.ts";

/** Whose pods are followed, and how. */
export interface PodWatchOptions extends ApiServerOptions {
  readonly nodeName: string;
  /** The most pods in one answer. */
  readonly pageSize?: number;
  /** The shortest time that the API server is asked to go on with a watch; it is up to twice as long, by chance. */
  readonly watchSeconds?: number;
  /** The waits after failures; a watch that held for the longest of them ends a row of failures. */
  readonly backoff?: BackoffRange;
  /** Gives numbers from 0 to 1. */
  readonly random?: () => number;
}

/** Whom a PodWatch tells. */
export interface PodListener {
  /** All pods of the node, first when the list is complete, then after each change. */
  onPods(list: PodList): void;
  /** Something failed: until the next onPods, the pods that were told last are all that is known. */
  onError(error: RequestError, retryInMilliseconds: number): void;
}

const DEFAULTS = {
  pageSize: 100,
  watchSeconds: 300,
  backoff: { firstMilliseconds: 250, maxMilliseconds: 30_000 },
  random: Math.random,
};
// What a server that asks for more gets: pods are not to be left alone for hours at somebody's word.
const MAX_RETRY_AFTER_SECONDS = 300;
// A server that ends watches as soon as they begin is not asked again and again without a pause.
const MIN_WATCH_MILLISECONDS = 1000;
// How much longer than agreed a watch may take before it is given up.
const MARGIN = 1.1;
const GONE = 410;

/**
 * Follows the pods of one node through the API server: a list, and from there a watch, taken up again whenever it ends.
 * It asks for and holds that node's pods alone, whatever the cluster's size.
 */
export class PodWatch implements Disposable {
  readonly #options: PodWatchOptions & typeof DEFAULTS;
  readonly #listener: PodListener;
  readonly #server: ApiServer;
  readonly #closing = new AbortController();
  #pods = new PodSet();
  /** Up to where the pods are known; undefined when they have to be listed. */
  #resourceVersion: string | undefined;
  /** The resource version behind which something came that could not be read. */
  #unreadableAfter: string | undefined;
  #hasExpired = false;
  #failures = 0;

  /** Throws an Error when the options are of no use; tells nothing before it returns. */
  constructor(options: PodWatchOptions, listener: PodListener) {
    // Without a name the API server would select the pods that have no node yet.
    if (!/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(options.nodeName)) {
      throw new Error(`${JSON.stringify(options.nodeName)} is not the name of a node`);
    }
    this.#options = { ...DEFAULTS, ...options };
    this.#listener = listener;
    this.#server = new ApiServer(options);
    void this.#follow();
  }

  /** Breaks off whatever is under way; nothing is told any more. */
  close(): void {
    this.#closing.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #follow(): Promise<void> {
    while (!this.#isClosed) {
      try {
        this.#resourceVersion ??= await this.#list();
        await this.#watch(this.#resourceVersion);
      } catch (error) {
        if (this.#isClosed) return;
        // What a listener throws is no failure that waiting makes good.
        if (!(error instanceof RequestError)) throw error;
        await this.#recover(error);
      }
    }
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Lists all pods anew, and tells the resource version that they are of. */
  async #list(): Promise<string> {
    const pods = new PodSet();
    // The API server answers version 0 from memory, where it finds a node's pods by an index, but maybe not the latest;
    // any other list with a limit makes it read all pods of the cluster in etcd (kubernetes
    // staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go, shouldDelegateList). The watch brings what is missing,
    // unless it has expired before.
    let position: Record<string, string> = this.#hasExpired ? {} : { resourceVersion: "0" };
    for (;;) {
      const path = this.#path({ limit: String(this.#options.pageSize), ...position });
      const page = this.#read(path, decodePodPage, await this.#server.text(path, this.#closing.signal));
      for (const item of page.items) pods.put(item);
      if (page.continue === undefined) {
        this.#pods = pods;
        this.#tell();
        return page.resourceVersion;
      }
      position = { continue: page.continue };
    }
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
    using stream = await this.#server.stream(path, this.#closing.signal);
    const start = performance.now();
    try {
      for await (const lines of stream.lines(timeoutSeconds * MARGIN * 1000)) this.#apply(path, lines);
    } finally {
      if (performance.now() - start >= backoff.maxMilliseconds) this.#failures = 0;
    }
    if (performance.now() - start < MIN_WATCH_MILLISECONDS) {
      throw this.#server.error("unreachable", path, "ended a watch as soon as it began");
    }
  }

  #apply(path: string, lines: readonly string[]): void {
    let isChanged = false;
    try {
      for (const line of lines) isChanged = this.#applyLine(path, line) || isChanged;
    } finally {
      if (isChanged) this.#tell();
    }
  }

  /** Takes in one event, and tells whether pods changed by it. */
  #applyLine(path: string, line: string): boolean {
    const event = this.#read(path, decodePodEvent, line);
    if (event.type === "ERROR") {
      const { code: status, message } = event;
      throw this.#server.error("status", path, `ended a watch: ${status} ${message}`, { status });
    }
    if (event.type === "DELETED") this.#pods.remove(event.object);
    else if (event.type !== "BOOKMARK") this.#pods.put(event.object);
    this.#resourceVersion = event.resourceVersion;
    return event.type !== "BOOKMARK";
  }

  #read<T>(path: string, decode: (text: string) => T, text: string): T {
    try {
      return decode(text);
    } catch (error) {
      throw this.#server.error("malformed", path, `sent what is ${(error as Error).message}`);
    }
  }

  #tell(): void {
    if (!this.#isClosed) this.#listener.onPods(this.#pods.list());
  }

  async #recover(error: RequestError): Promise<void> {
    const { random, backoff } = this.#options;
    this.#forgetVersionAfter(error);
    this.#failures++;
    const askedSeconds = Math.min(error.refusal?.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS);
    const retryInMilliseconds = askedSeconds * 1000 + backoffMilliseconds(this.#failures, random(), backoff);
    this.#listener.onError(error, retryInMilliseconds);
    await sleep(retryInMilliseconds, undefined, { signal: this.#closing.signal }).catch(() => {});
  }

  /** Has the pods listed anew when a watch from the same resource version can come to no other end. */
  #forgetVersionAfter(error: RequestError): void {
    const isExpired = error.refusal?.status === GONE;
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
