import type { PodList } from "../../src/cluster/pod-list.ts";
import { type PodListener, PodWatch, type PodWatchOptions } from "../../src/cluster/pod-watch.ts";
import type { RequestError } from "../../src/cluster/request-error.ts";
import type { FakeApiServer } from "../node/fake-api-server.ts";

/** The node whose pods are followed. */
export const NODE = "node-0";

/** Follows the pods of a node of the fake API server's cluster, and keeps what it was told. */
export class Follower implements PodListener, Disposable {
  readonly watch: PodWatch;
  readonly told: PodList[] = [];
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
    this.told.push(list);
    this.#wake();
  }

  onError(error: RequestError, retryInMilliseconds: number): void {
    this.errors.push(error);
    this.waits.push(retryInMilliseconds);
    this.#wake();
  }

  /** Waits until something is so, looking whenever something is told or asked; the test's own time limit ends it. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Waits until the pods told are those of the node, each as it is now, and a watch goes on from there. */
  async untilRight(): Promise<void> {
    await this.until(() => this.#fake.watches === 1 && this.known === knownOf(this.#fake));
  }

  /** The pods told last, each with its revision. */
  get known(): string {
    const pods = this.told.at(-1)?.pods ?? [];
    return lines(
      pods.map(({ name, uid, annotations }) => `${name} ${uid} ${annotations["wasp.io/swap-limit"]}`),
    );
  }

  get names(): string[] {
    return (this.told.at(-1)?.pods ?? []).map(({ name }) => name).sort();
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
