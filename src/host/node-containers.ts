import { findKubepods, type Kubepods } from "./kubepods.ts";
import { type KubepodsListener, KubepodsWatch } from "./kubepods-watch.ts";

/**
 * Follows every container of a node below fsroot, whichever kubepods cgroups come, go, or are made anew. What events
 * tell is told at once; the rest at the next sweep.
 */
export class NodeContainers implements Disposable {
  readonly #fsroot: string;
  readonly #listener: KubepodsListener;
  readonly #watches = new Map<string, { kubepods: Kubepods; watch: KubepodsWatch }>();

  /** Tells of every container that is there before it returns. */
  constructor(fsroot: string, listener: KubepodsListener) {
    this.#fsroot = fsroot;
    this.#listener = listener;
    this.sweep();
  }

  /** The kubepods cgroups that are there: none before the kubelet's first start. */
  get kubepods(): readonly Kubepods[] {
    return [...this.#watches.values()].map(({ kubepods }) => kubepods);
  }

  /** Whether a sweep may find a kubepods cgroup: none is there yet, or one that was is there no more. */
  get isIncomplete(): boolean {
    return this.#watches.size === 0 || [...this.#watches.values()].some(({ watch }) => !watch.isCurrent);
  }

  /** Looks through the whole tree for what no event told of. */
  sweep(): void {
    for (const [path, { watch }] of this.#watches) {
      if (watch.isCurrent) watch.sweep();
      else this.#forget(path, watch);
    }
    for (const kubepods of findKubepods(this.#fsroot)) {
      if (this.#watches.has(kubepods.path)) continue;
      this.#watches.set(kubepods.path, { kubepods, watch: new KubepodsWatch(kubepods, this.#listener) });
    }
  }

  /** Watches everything anew, as is needed once the node's clock has been set back. */
  renew(): void {
    for (const { watch } of this.#watches.values()) watch.renew();
  }

  /** Lets go of all watches; nothing is told any more. */
  close(): void {
    for (const { watch } of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Its containers went before it did, and were told of then or by this look.
  #forget(path: string, watch: KubepodsWatch): void {
    watch.sweep();
    watch.close();
    this.#watches.delete(path);
  }
}
