import { deepEquals } from "bun";
import type { KubepodsContainer } from "../../host/kubepods.ts";
import type { PodIndex } from "../../policy/limits/reconcile.ts";
import type { ContainerView } from "../metrics/view.ts";
import { ContainerLimit } from "./container-limit.ts";
import type { LimitContext, LimitListener } from "./limit-context.ts";

/** Keeps the swap limits of all containers of a node exact. */
export class LimitKeeper {
  readonly #limits = new Map<string, ContainerLimit>();
  readonly #listener: LimitListener;
  readonly #nowSeconds: () => number;
  #context: LimitContext | undefined;

  /** Takes a clock in seconds that never jumps. */
  constructor(listener: LimitListener, nowSeconds: () => number) {
    this.#listener = listener;
    this.#nowSeconds = nowSeconds;
  }

  /** Adds a container or updates its cgroup levels, and checks it; `isNew` if its cgroup has just appeared. */
  add(container: KubepodsContainer, isNew: boolean): void {
    const known = this.#limits.get(container.containerId);
    const limit =
      known ?? new ContainerLimit(container, isNew ? this.#nowSeconds() : undefined, this.#listener);
    limit.container = container;
    this.#limits.set(container.containerId, limit);
    this.#check(limit);
  }

  /** Removes a container whose cgroup is gone. */
  remove(containerId: string): void {
    this.#limits.delete(containerId);
  }

  /** Removes the limit of a pod whose containers turned out to have cgroups of their own. */
  release(podUid: string): void {
    this.#limits.get(podUid)?.release();
    this.remove(podUid);
  }

  /** Returns a container by its id; undefined if it is not known. */
  containerOf(containerId: string): KubepodsContainer | undefined {
    return this.#limits.get(containerId)?.container;
  }

  /** Changes the context, and checks every container. */
  apply(context: LimitContext): void {
    this.#context = context;
    this.checkAll();
  }

  /** Changes the pods, and checks the containers of changed ones; does nothing before the first `apply`. */
  applyPods(pods: PodIndex): void {
    if (this.#context === undefined) return;
    const before = this.#context.pods;
    this.#context = { ...this.#context, pods };
    const hasChanged = ({ container: { podUid } }: ContainerLimit) =>
      !deepEquals(before.get(podUid), pods.get(podUid));
    this.#checkThose(hasChanged);
  }

  /** Checks one container; does nothing before the first `apply`. */
  check(containerId: string): void {
    const limit = this.#limits.get(containerId);
    if (limit !== undefined) this.#check(limit);
  }

  /** Checks every container. */
  checkAll(): void {
    this.#checkThose(() => true);
  }

  /** Checks the containers that are due: after a failed write, or in a contest. */
  tick(): void {
    const now = this.#nowSeconds();
    this.#checkThose(({ dueSeconds }) => dueSeconds <= now);
  }

  /** Returns true if no pod's status has named a container yet. */
  isUnknown(containerId: string): boolean {
    return this.#limits.get(containerId)?.isKnown === false;
  }

  /** Returns true if a container that appeared within these seconds is held because no pod's status names it yet. */
  hasUnknownSince(seconds: number): boolean {
    const since = this.#nowSeconds() - seconds;
    const named = new Set<string>();
    for (const { container, appearedSeconds = Number.NEGATIVE_INFINITY, isKnown } of this.#latestFirst()) {
      if (isKnown) named.add(container.podUid);
      // A pod's status names all its containers that exist, except for the pause container. So one that is older than
      // a named one of its pod, and is not named itself, is the pause container.
      else if (appearedSeconds >= since && !named.has(container.podUid)) return true;
    }
    return false;
  }

  /** Returns the views of all containers' last checks, with their current swap usage. */
  views(): ContainerView[] {
    return [...this.#limits.values()].map((limit) => limit.shown());
  }

  /** Returns the cgroups of all containers; a sandbox that has a cgroup of its own stands for its pod's. */
  kubepodsContainers(): KubepodsContainer[] {
    const containers = Array.from(this.#limits.values(), ({ container }) => container);
    const withOwn = new Set(containers.flatMap(({ isSandbox, podUid }) => (isSandbox ? [] : podUid)));
    return containers.filter(({ isSandbox, podUid }) => !isSandbox || !withOwn.has(podUid));
  }

  #latestFirst(): ContainerLimit[] {
    return [...this.#limits.values()].reverse();
  }

  // The limits of the cgroups above them are read once for all.
  #checkThose(isChosen: (limit: ContainerLimit) => boolean): void {
    const sharedLimits = new Map<string, number>();
    for (const limit of this.#limits.values()) if (isChosen(limit)) this.#check(limit, sharedLimits);
  }

  #check(limit: ContainerLimit, sharedLimits?: Map<string, number>): void {
    if (this.#context !== undefined) limit.check(this.#context, this.#nowSeconds(), sharedLimits);
  }
}
