import { type FSWatcher, statSync, watch } from "node:fs";
import { type KubepodsCgroup, parseKubepodsChild } from "../policy/kubernetes/pod-cgroup.ts";
import { CGROUP_LAYOUTS } from "./cgroup-layout.ts";
import { unlessGone } from "./file.ts";
import {
  type ContainerRoot,
  describeContainer,
  type Kubepods,
  type KubepodsContainer,
  kubepodsChildren,
} from "./kubepods.ts";
import { containerNodeOf, isOwnLevel, levelsBelow, type WatchedCgroup } from "./watched-cgroup.ts";

/** Callbacks of a KubepodsWatch. */
export interface KubepodsListener {
  /** Called for a new container, and when its own levels have changed: crun creates the lower one after the scope. */
  onContainer(container: KubepodsContainer): void;
  /** Called when a container's cgroup is gone. */
  onGone(containerId: string): void;
  /**
   * Called when another process has written, or may have written, a swap limit of a container's own levels; possibly
   * more than once for one write.
   */
  onLimitWritten(container: KubepodsContainer): void;
  /**
   * Called when another process has written a swap limit of a level that containers share: a pod's, a QoS class's or
   * that of all pods.
   */
  onSharedLimitWritten(): void;
  /** Called when a cgroup cannot be watched, as when the kernel has no watches left: changes in it stay unnoticed. */
  onError(error: Error): void;
}

// Bun drops an event that equals the one before it and comes within two milliseconds (ChangeEvent of its
// path_watcher.rs): a directory that is removed right after its creation, a limit that two processes write. A check
// after that time sees the final state.
const DELAYED_CHECK_MILLISECONDS = 5;
// crun makes the container's cgroup before its process is in it.
const PROCESS_MOVED_MILLISECONDS = 500;

/**
 * Follows the containers below a kubepods or a loose cgroup with inotify, at the cost of one watch for each cgroup of the tree. A
 * kubepods cgroup that is itself removed and created again needs a new KubepodsWatch.
 *
 * A directory is watched before it is listed: changes in between are seen twice, never missed.
 */
export class KubepodsWatch {
  readonly #kubepods: Kubepods;
  readonly #listener: KubepodsListener;
  readonly #limitFile: string;
  #root: WatchedCgroup | undefined;
  #rescan: NodeJS.Immediate | undefined;
  readonly #delayedChecks = new Set<NodeJS.Timeout>();

  /** Reports every existing container before it returns. */
  constructor(kubepods: Kubepods, listener: KubepodsListener, level: ContainerRoot["level"] = "kubepods") {
    this.#kubepods = kubepods;
    this.#listener = listener;
    this.#limitFile = CGROUP_LAYOUTS[kubepods.version].swapLimitFile;
    this.#root = this.#enter(kubepods.path, { level }, undefined);
  }

  /** Returns true if the watched kubepods cgroup still exists, and no other cgroup has taken its name. */
  get isCurrent(): boolean {
    return this.#root?.identity === this.#identityOf(this.#kubepods.path);
  }

  /** Compares the whole tree with the known state, and reports what events have missed, except for limits. */
  sweep(): void {
    if (this.#root !== undefined) this.#compare(this.#root);
  }

  /**
   * Restarts all watches. Bun measures its two milliseconds with the wall clock: once that is set back, Bun drops each
   * event that equals the one before it until the clock has caught up.
   */
  renew(): void {
    if (this.#root === undefined) return;
    // All watches are closed before any is opened again; the comparison opens them.
    this.#unwatch(this.#root);
    this.#compare(this.#root);
  }

  /** Closes all watches and ends the callbacks. */
  close(): void {
    clearImmediate(this.#rescan);
    for (const timer of this.#delayedChecks) clearTimeout(timer);
    if (this.#root !== undefined) this.#unwatch(this.#root);
    this.#root = undefined;
  }

  #enter(path: string, cgroup: KubepodsCgroup, parent: WatchedCgroup | undefined): WatchedCgroup | undefined {
    // Read before the watch starts: if another directory takes the name in between, its event shows the difference.
    const identity = this.#identityOf(path);
    if (identity === undefined) return undefined;
    const unseen = { children: new Map(), watcher: undefined, container: undefined };
    const node: WatchedCgroup = { path, cgroup, parent, identity, ...unseen };
    this.#compare(node);
    return node;
  }

  #watch(node: WatchedCgroup): FSWatcher | undefined {
    try {
      const directory = this.#kubepods.mount + node.path;
      const watcher = unlessGone(() => watch(directory, (event, name) => this.#notice(node, event, name)));
      return watcher?.on("error", () => this.#rescanSoon());
    } catch (error) {
      this.#listener.onError(error as Error);
      return undefined;
    }
  }

  #notice(node: WatchedCgroup, event: "rename" | "change", name: string | null): void {
    // Bun's event for an overflow of the kernel's event queue (oven-sh/bun#33110).
    if (name === null) this.#rescanSoon();
    else if (event === "rename") this.#nowAndAfterDelay(node, () => this.#refresh(node, name));
    // The first process has come into a cgroup, or the last one has left it.
    else if (name === "cgroup.events" && isOwnLevel(node)) this.#compare(node);
    else if (name === this.#limitFile) this.#nowAndAfterDelay(node, () => this.#reportLimitWritten(node));
  }

  /**
   * Calls a function now and after a delay, while the cgroup is watched: events may still arrive after the end of its
   * watch.
   */
  #nowAndAfterDelay(node: WatchedCgroup, act: () => void): void {
    const actIfWatched = () => {
      if (node.watcher !== undefined) act();
    };
    actIfWatched();
    this.#later(DELAYED_CHECK_MILLISECONDS, actIfWatched);
  }

  #later(milliseconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#delayedChecks.delete(timer);
      act();
    }, milliseconds);
    this.#delayedChecks.add(timer);
  }

  /** Updates the entry of a name in a cgroup, if its directory has changed. */
  #refresh(node: WatchedCgroup, name: string): void {
    const path = `${node.path}/${name}`;
    if (isOwnLevel(node)) this.#compareLater(node);
    const cgroup = isOwnLevel(node)
      ? (node.children.get(name)?.cgroup ??
        kubepodsChildren(this.#kubepods, node.path, node.cgroup).get(name))
      : parseKubepodsChild(node.cgroup, path);
    if (cgroup === undefined) return;
    const known = node.children.get(name);
    if (known?.identity === this.#identityOf(path)) return;
    if (known !== undefined) this.#leave(node, name, known);
    this.#follow(node, name, cgroup);
    this.#reportContainer(containerNodeOf(node));
  }

  #compareLater(node: WatchedCgroup): void {
    this.#later(PROCESS_MOVED_MILLISECONDS, () => {
      if (node.watcher !== undefined) this.#compare(node);
    });
  }

  /** Compares a cgroup and all below it with the known state. */
  #compare(node: WatchedCgroup): void {
    // The kernel may have had no watch left before.
    node.watcher ??= this.#watch(node);
    const children = kubepodsChildren(this.#kubepods, node.path, node.cgroup);
    for (const [name, known] of node.children) {
      if (known.identity === this.#identityOf(known.path)) this.#compare(known);
      else this.#leave(node, name, known);
    }
    for (const [name, cgroup] of children) {
      if (!node.children.has(name)) this.#follow(node, name, cgroup);
    }
    this.#reportContainer(containerNodeOf(node));
  }

  #follow(node: WatchedCgroup, name: string, cgroup: KubepodsCgroup): void {
    const child = this.#enter(`${node.path}/${name}`, cgroup, node);
    if (child !== undefined) node.children.set(name, child);
  }

  #leave(node: WatchedCgroup, name: string, child: WatchedCgroup): void {
    node.children.delete(name);
    this.#unwatch(child);
    this.#reportGone(child);
    // A new lower level has limits of its own, so the container has to be reported again.
    containerNodeOf(node).container = undefined;
  }

  // Bun keeps watches by path: one that stays open would block the watch on the next directory of that name.
  #unwatch(node: WatchedCgroup): void {
    for (const child of node.children.values()) this.#unwatch(child);
    const { watcher } = node;
    node.watcher = undefined;
    watcher?.close();
  }

  /** Every watcher gets an event for the overflow; the comparison waits for all of them. */
  #rescanSoon(): void {
    this.#rescan ??= setImmediate(() => {
      this.#rescan = undefined;
      if (this.#root === undefined) return;
      this.#compare(this.#root);
      this.#reportAllLimitsWritten(this.#root);
    });
  }

  #reportContainer(node: WatchedCgroup): void {
    if (node.cgroup.level !== "container") return;
    const container = describeContainer(this.#kubepods, node.path, node.cgroup, levelsBelow(node));
    if (node.container?.cgroup.own.length === container.cgroup.own.length) return;
    node.container = container;
    this.#listener.onContainer(container);
  }

  #reportGone(node: WatchedCgroup): void {
    for (const child of node.children.values()) this.#reportGone(child);
    if (node.container !== undefined) this.#listener.onGone(node.container.containerId);
  }

  #reportLimitWritten(node: WatchedCgroup): void {
    const { container } = containerNodeOf(node);
    if (container === undefined) this.#listener.onSharedLimitWritten();
    else this.#listener.onLimitWritten(container);
  }

  #reportAllLimitsWritten(node: WatchedCgroup): void {
    for (const child of node.children.values()) this.#reportAllLimitsWritten(child);
    if (node.container !== undefined) this.#listener.onLimitWritten(node.container);
  }

  /** On file systems other than cgroupfs, an inode number may be reused. */
  #identityOf(path: string): string | undefined {
    const found = unlessGone(() => statSync(this.#kubepods.mount + path, { bigint: true }));
    return found && `${found.ino} ${found.birthtimeNs}`;
  }
}
