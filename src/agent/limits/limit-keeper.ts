import { deepEquals } from "bun";
import type { KubepodsContainer } from "../../host/kubepods.ts";
import type { PodIndex } from "../../policy/limits/reconcile.ts";
import type { ContainerView } from "../metrics/view.ts";
import { type Circumstances, ContainerLimit, type LimitListener } from "./container-limit.ts";

/** Keeps the swap limits of all containers of a node what they are entitled to. */
export class LimitKeeper {
  readonly #limits = new Map<string, ContainerLimit>();
  readonly #listener: LimitListener;
  readonly #nowSeconds: () => number;
  #circumstances: Circumstances | undefined;

  /** The clock is one that never jumps, in seconds. */
  constructor(listener: LimitListener, nowSeconds: () => number) {
    this.#listener = listener;
    this.#nowSeconds = nowSeconds;
  }

  /** Takes a container in, or its levels anew; isNew for one whose cgroup has just appeared. */
  take(container: KubepodsContainer, isNew: boolean): void {
    const known = this.#limits.get(container.containerId);
    const limit =
      known ?? new ContainerLimit(container, isNew ? this.#nowSeconds() : undefined, this.#listener);
    limit.container = container;
    this.#limits.set(container.containerId, limit);
    this.#check(limit);
  }

  /** Forgets a container whose cgroup is gone. */
  leave(containerId: string): void {
    this.#limits.delete(containerId);
  }

  /** Acts by these circumstances from now on, on every container at once. */
  apply(circumstances: Circumstances): void {
    this.#circumstances = circumstances;
    this.checkAll();
  }

  /** Goes by these pods from now on, and looks at the containers of those that changed; does nothing before apply. */
  applyPods(pods: PodIndex): void {
    if (this.#circumstances === undefined) return;
    const before = this.#circumstances.pods;
    this.#circumstances = { ...this.#circumstances, pods };
    const hasChanged = ({ container: { podUid } }: ContainerLimit) =>
      !deepEquals(before.get(podUid), pods.get(podUid));
    this.#checkThose(hasChanged);
  }

  /** Looks at one container, and corrects its limit if need be; does nothing before the circumstances are known. */
  check(containerId: string): void {
    const limit = this.#limits.get(containerId);
    if (limit !== undefined) this.#check(limit);
  }

  /** Looks at every container. */
  checkAll(): void {
    this.#checkThose(() => true);
  }

  /** Looks again at those whose time has come: after a failed write, or in a contest. */
  tick(): void {
    const now = this.#nowSeconds();
    this.#checkThose(({ dueSeconds }) => dueSeconds <= now);
  }

  /** Whether nobody has told of a container yet. */
  isUnknown(containerId: string): boolean {
    return this.#limits.get(containerId)?.isKnown === false;
  }

  /** Whether a container that appeared within so many seconds is held because nobody has told of it yet. */
  hasUnknownSince(seconds: number): boolean {
    const since = this.#nowSeconds() - seconds;
    const told = new Set<string>();
    for (const { container, appearedSeconds = Number.NEGATIVE_INFINITY, isKnown } of this.#latestFirst()) {
      if (isKnown) told.add(container.podUid);
      // A status tells of all containers of its pod that were there: what came before one of them and is left out is
      // the pause container, of which it never tells.
      else if (appearedSeconds >= since && !told.has(container.podUid)) return true;
    }
    return false;
  }

  /** Every container, as it was when it was last looked at, with what it has swapped out by now. */
  views(): ContainerView[] {
    return [...this.#limits.values()].map((limit) => limit.shown());
  }

  /** Where every container is. */
  kubepodsContainers(): KubepodsContainer[] {
    return [...this.#limits.values()].map(({ container }) => container);
  }

  #latestFirst(): ContainerLimit[] {
    return [...this.#limits.values()].reverse();
  }

  /** Looks at some containers at once: what they share is read once. */
  #checkThose(isMeant: (limit: ContainerLimit) => boolean): void {
    const sharedLimits = new Map<string, number>();
    for (const limit of this.#limits.values()) if (isMeant(limit)) this.#check(limit, sharedLimits);
  }

  #check(limit: ContainerLimit, sharedLimits?: Map<string, number>): void {
    if (this.#circumstances !== undefined) limit.check(this.#circumstances, this.#nowSeconds(), sharedLimits);
  }
}
