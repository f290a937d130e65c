import { type ContainerRoot, findContainerRoots, type Kubepods } from "./kubepods.ts";
import { type KubepodsListener, KubepodsWatch } from "./kubepods-watch.ts";

/**
 * Follows all containers of a node below fsroot, also when kubepods cgroups are created, removed or created again,
 * and of a runtime that puts them elsewhere.
 * Events are reported at once, everything else at the next sweep.
 */
export class NodeContainers {
  readonly #fsroot: string;
  readonly #listener: KubepodsListener;
  readonly #watches = new Map<string, { root: ContainerRoot; watch: KubepodsWatch }>();

  // The same objects for as long as they exist: what is known about one is kept by its object.
  #kubepods: readonly Kubepods[] = [];

  /** Reports every existing container before it returns. */
  constructor(fsroot: string, listener: KubepodsListener) {
    this.#fsroot = fsroot;
    this.#listener = listener;
    this.sweep();
  }

  /** Existing kubepods cgroups: none before the kubelet's first start. */
  get kubepods(): readonly Kubepods[] {
    return this.#kubepods;
  }

  /** Returns true if a sweep may find a kubepods cgroup: none exists yet, or a known one is gone. */
  get isIncomplete(): boolean {
    return this.#kubepods.length === 0 || [...this.#watches.values()].some(({ watch }) => !watch.isCurrent);
  }

  /** Compares the whole tree with the known state, and reports what events have missed. */
  sweep(): void {
    for (const [path, { watch }] of this.#watches) {
      if (watch.isCurrent) watch.sweep();
      else this.#forget(path, watch);
    }
    for (const root of findContainerRoots(this.#fsroot)) {
      if (this.#watches.has(root.path)) continue;
      this.#watches.set(root.path, { root, watch: new KubepodsWatch(root, this.#listener, root.level) });
    }
    this.#kubepods = [...this.#watches.values()].flatMap(({ root }) =>
      root.level === "kubepods" ? root : [],
    );
  }

  /** Restarts all watches, as required after the node's clock was set back. */
  renew(): void {
    for (const { watch } of this.#watches.values()) watch.renew();
  }

  /** Closes all watches and ends the callbacks. */
  close(): void {
    for (const { watch } of this.#watches.values()) watch.close();
    this.#watches.clear();
    this.#kubepods = [];
  }

  // Its containers were removed before it, and are reported by this sweep at the latest.
  #forget(path: string, watch: KubepodsWatch): void {
    watch.sweep();
    watch.close();
    this.#watches.delete(path);
  }
}
