import { type FSWatcher, statSync, watch } from "node:fs";
import { type KubepodsCgroup, parseKubepodsChild } from "../policy/kubernetes/pod-cgroup.ts";
import { unlessGone } from "./file.ts";
import { describeContainer, type Kubepods, type KubepodsContainer, kubepodsChildren } from "./kubepods.ts";

/** Whom a KubepodsWatch tells. */
export interface KubepodsListener {
  /** A container is there, or its own levels are others than before: crun makes the lower one after the scope. */
  onContainer(container: KubepodsContainer): void;
  /** A container's cgroup is gone. */
  onGone(containerId: string): void;
  /** Somebody wrote a swap limit of a container's own levels, or may have; told more than once for one write. */
  onLimitWritten(container: KubepodsContainer): void;
  /** Somebody wrote a swap limit of a level that containers share: a pod's, a QoS class's or all pods'. */
  onSharedLimitWritten(): void;
  /** A cgroup cannot be watched, as when the kernel has no more watches to give: what comes in it is not told. */
  onError(error: Error): void;
}

// Bun drops an event that is like the one before it and comes within two milliseconds (ChangeEvent of its
// path_watcher.rs): a directory that is removed as soon as it was made, a limit that two write. A look after that time
// sees what became of them.
const DELAYED_CHECK_MILLISECONDS = 5;

/** A cgroup that is watched. */
interface WatchedCgroup {
  readonly path: string;
  readonly cgroup: KubepodsCgroup;
  readonly parent: WatchedCgroup | undefined;
  readonly children: Map<string, WatchedCgroup>;
  /** Which directory it is, of those that have had its name. */
  readonly identity: string;
  watcher: FSWatcher | undefined;
  /** What was told of it, at the level of containers. */
  container: KubepodsContainer | undefined;
}

/**
 * Follows the containers below a kubepods cgroup by inotify, which costs one watch for each cgroup of the tree; a
 * kubepods cgroup that is itself removed and made again has to be watched anew.
 *
 * The watch of a directory comes before the look at what is in it: what is made in between is seen twice, never missed.
 */
export class KubepodsWatch implements Disposable {
  readonly #kubepods: Kubepods;
  readonly #listener: KubepodsListener;
  readonly #limitFile: string;
  #root: WatchedCgroup | undefined;
  #rescan: NodeJS.Immediate | undefined;
  readonly #delayedChecks = new Set<NodeJS.Timeout>();

  /** Tells of every container that is there before it returns. */
  constructor(kubepods: Kubepods, listener: KubepodsListener) {
    this.#kubepods = kubepods;
    this.#listener = listener;
    this.#limitFile = kubepods.version === 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    this.#root = this.#enter(kubepods.path, { level: "kubepods" }, undefined);
  }

  /** Whether the kubepods cgroup is still the one that is watched, and not another of its name. */
  get isCurrent(): boolean {
    return this.#root?.identity === this.#identityOf(this.#kubepods.path);
  }

  /** Compares the whole tree with what is known, and tells what events did not; limits are not looked at. */
  sweep(): void {
    if (this.#root !== undefined) this.#compare(this.#root);
  }

  /**
   * Watches everything anew. Bun takes the time of day for its two milliseconds: once that is set back, it drops each
   * event that is like the one before until the clock has caught up.
   */
  renew(): void {
    if (this.#root === undefined) return;
    // All are closed before any is opened again; the comparison opens them.
    this.#unwatch(this.#root);
    this.#compare(this.#root);
  }

  /** Lets go of all watches; nothing is told any more. */
  close(): void {
    clearImmediate(this.#rescan);
    for (const timer of this.#delayedChecks) clearTimeout(timer);
    if (this.#root !== undefined) this.#unwatch(this.#root);
    this.#root = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #enter(path: string, cgroup: KubepodsCgroup, parent: WatchedCgroup | undefined): WatchedCgroup | undefined {
    // Taken before the watch: should another directory get the name meanwhile, its event shows that this one is not it.
    const identity = this.#identityOf(path);
    if (identity === undefined) return undefined;
    const children = new Map<string, WatchedCgroup>();
    const node: WatchedCgroup = {
      path,
      cgroup,
      parent,
      children,
      identity,
      watcher: undefined,
      container: undefined,
    };
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
    // This is how Bun tells that the kernel's queue of events was full (oven-sh/bun#33110).
    if (name === null) this.#rescanSoon();
    else if (event === "rename") this.#nowAndAfterDelay(node, () => this.#refresh(node, name));
    else if (name === this.#limitFile) this.#nowAndAfterDelay(node, () => this.#reportLimitWritten(node));
  }

  /** Does something for a cgroup as long as it is watched: events may be under way when the watch is let go. */
  #nowAndAfterDelay(node: WatchedCgroup, act: () => void): void {
    const actIfWatched = () => {
      if (node.watcher !== undefined) act();
    };
    actIfWatched();
    const timer = setTimeout(() => {
      this.#delayedChecks.delete(timer);
      actIfWatched();
    }, DELAYED_CHECK_MILLISECONDS);
    this.#delayedChecks.add(timer);
  }

  /** Looks whether what has a name in a cgroup is what it was, and follows it if not. */
  #refresh(node: WatchedCgroup, name: string): void {
    const path = `${node.path}/${name}`;
    const cgroup = parseKubepodsChild(node.cgroup, path);
    if (cgroup === undefined) return;
    const known = node.children.get(name);
    if (known?.identity === this.#identityOf(path)) return;
    if (known !== undefined) this.#leave(node, name, known);
    this.#follow(node, name, cgroup);
    this.#reportContainer(node);
  }

  /** Compares all that is in a cgroup, and below, with what is known. */
  #compare(node: WatchedCgroup): void {
    // The kernel may have had no watch to give before.
    node.watcher ??= this.#watch(node);
    const children = kubepodsChildren(this.#kubepods, node.path, node.cgroup);
    for (const [name, known] of node.children) {
      if (known.identity === this.#identityOf(known.path)) this.#compare(known);
      else this.#leave(node, name, known);
    }
    for (const [name, cgroup] of children) {
      if (!node.children.has(name)) this.#follow(node, name, cgroup);
    }
    this.#reportContainer(node);
  }

  #follow(node: WatchedCgroup, name: string, cgroup: KubepodsCgroup): void {
    const child = this.#enter(`${node.path}/${name}`, cgroup, node);
    if (child !== undefined) node.children.set(name, child);
  }

  #leave(node: WatchedCgroup, name: string, child: WatchedCgroup): void {
    node.children.delete(name);
    this.#unwatch(child);
    this.#reportGone(child);
    // What comes in the place of a container's lower level has limits of its own: the container is to be told anew.
    node.container = undefined;
  }

  // A watch that is not closed would stand in the way of one on the next directory of that name: Bun keeps them by path.
  #unwatch(node: WatchedCgroup): void {
    for (const child of node.children.values()) this.#unwatch(child);
    const { watcher } = node;
    node.watcher = undefined;
    watcher?.close();
  }

  /** Every watcher is told of lost events; the comparison waits until all of them have been. */
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
    const container = describeContainer(this.#kubepods, node.path, node.cgroup, node.children.keys());
    if (node.container?.cgroup.own.length === container.cgroup.own.length) return;
    node.container = container;
    this.#listener.onContainer(container);
  }

  #reportGone(node: WatchedCgroup): void {
    for (const child of node.children.values()) this.#reportGone(child);
    if (node.container !== undefined) this.#listener.onGone(node.container.containerId);
  }

  #reportLimitWritten(node: WatchedCgroup): void {
    const container = node.container ?? node.parent?.container;
    if (container === undefined) this.#listener.onSharedLimitWritten();
    else this.#listener.onLimitWritten(container);
  }

  #reportAllLimitsWritten(node: WatchedCgroup): void {
    for (const child of node.children.values()) this.#reportAllLimitsWritten(child);
    if (node.container !== undefined) this.#listener.onLimitWritten(node.container);
  }

  /** A number alone may be given again, on a file system other than cgroupfs. */
  #identityOf(path: string): string | undefined {
    const found = unlessGone(() => statSync(this.#kubepods.mount + path, { bigint: true }));
    return found && `${found.ino} ${found.birthtimeNs}`;
  }
}
