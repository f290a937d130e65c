import type { KubepodsContainer } from "../host/kubepods.ts";
import { type Circumstances, ContainerLimit, type LimitListener } from "./container-limit.ts";
import type { ContainerView } from "./view.ts";

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

  /** Looks at one container, and corrects its limit if need be; does nothing before the circumstances are known. */
  check(containerId: string): void {
    const limit = this.#limits.get(containerId);
    if (limit !== undefined) this.#check(limit);
  }

  /** Looks at every container. */
  checkAll(): void {
    for (const limit of this.#limits.values()) this.#check(limit);
  }

  /** Looks again at those whose time has come: after a failed write, or in a contest. */
  tick(): void {
    const now = this.#nowSeconds();
    for (const limit of this.#limits.values()) if (limit.dueSeconds <= now) this.#check(limit);
  }

  /** Whether nobody has told of a container yet. */
  isUnknown(containerId: string): boolean {
    return this.#limits.get(containerId)?.isKnown === false;
  }

  /** Whether a container that appeared within so many seconds is held because nobody has told of it yet. */
  hasUnknownSince(seconds: number): boolean {
    const since = this.#nowSeconds() - seconds;
    return [...this.#limits.values()].some(
      ({ appearedSeconds = Number.NEGATIVE_INFINITY, isKnown }) => !isKnown && appearedSeconds >= since,
    );
  }

  /** Every container, as it was when it was last looked at, with what it has swapped out by now. */
  views(): ContainerView[] {
    return [...this.#limits.values()].map((limit) => limit.shown());
  }

  #check(limit: ContainerLimit): void {
    if (this.#circumstances !== undefined) limit.check(this.#circumstances, this.#nowSeconds());
  }
}
