import type { PodList } from "../../src/cluster/pod-list.ts";
import { type PodListener, PodWatch, type PodWatchOptions } from "../../src/cluster/pod-watch.ts";
import type { RequestError } from "../../src/cluster/request-error.ts";
import type { FakeApiServer } from "../node/fake-api-server.ts";

/** Name of the node whose pods are watched. */
export const NODE = "node-0";

/** Watches the pods of a node of the fake API server's cluster, and records the calls of its listener. */
export class Follower implements PodListener, Disposable {
  readonly watch: PodWatch;
  readonly lists: PodList[] = [];
  readonly errors: RequestError[] = [];
  readonly waits: number[] = [];
  readonly #fake: FakeApiServer;
  #wake = () => {};

  constructor(fake: FakeApiServer, options: Partial<PodWatchOptions> = {}) {
    this.#fake = fake;
    fake.onRequest = () => this.#wake();
    const backoff = { firstMilliseconds: 10, maxMilliseconds: 40 };
    this.watch = new PodWatch({ ...fake.options, nodeName: NODE, backoff, ...options }, this);
  }

  onPods(list: PodList): void {
    this.lists.push(list);
    this.#wake();
  }

  onError(error: RequestError, retryInMilliseconds: number): void {
    this.errors.push(error);
    this.waits.push(retryInMilliseconds);
    this.#wake();
  }

  /** Waits for a condition, checked after each call of the listener and each request, until the test's own time limit. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Waits until the latest list has the node's current pods, and a watch has started. */
  async untilCurrent(): Promise<void> {
    await this.until(() => this.#fake.watches === 1 && this.known === knownOf(this.#fake));
  }

  /** Pods of the latest list, each with its revision. */
  get known(): string {
    const pods = this.lists.at(-1)?.pods ?? [];
    return lines(
      pods.map(({ name, uid, annotations }) => `${name} ${uid} ${annotations["wasp.io/swap-limit"]}`),
    );
  }

  get names(): string[] {
    return (this.lists.at(-1)?.pods ?? []).map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    this.watch.close();
  }
}

function knownOf(fake: FakeApiServer): string {
  return lines(fake.cluster.podsOn(NODE).map(({ name, uid, revision }) => `${name} ${uid} ${revision}`));
}

function lines(texts: string[]): string {
  return texts.sort().join("\n");
}
