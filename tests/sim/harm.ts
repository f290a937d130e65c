import type { SimulatedNode } from "./node.ts";
import { type RunningPod, resident, swapped } from "./pod.ts";

/** Time for which a pod waits until it counts as harmed; dips of some seconds are forgiven. */
export const HARM_SECONDS = 10;

/**
 * Bounds from which a pod that waits is harmed. Between those of possible and of certain harm, either decision is right: what
 * a pod's pressure shows is neither exact nor the same, as the kernel leaves out the time in which all of its tasks sleep.
 */
export interface HarmBounds {
  /** Fraction of the time for which it waits. */
  readonly waitedFraction: number;
  /** Pages a second from which it waits for memory that it takes, and is not harmed by others. */
  readonly growingPages: number;
  /** Fraction of the time for which it waits from which it is harmed even as it grows. */
  readonly stuckFraction: number;
}

/** Bounds from which an eviction is no mistake. */
export const POSSIBLE_HARM: HarmBounds = { waitedFraction: 0.15, growingPages: 256, stuckFraction: 0.75 };
/** Bounds from which an eviction is due. */
export const CERTAIN_HARM: HarmBounds = { waitedFraction: 0.25, growingPages: 16, stuckFraction: Infinity };

const FORGIVEN_SECONDS = 5;

/** Record of the pods that wait for memory that the node is short of, other than for their own growth. */
export class HarmLog {
  readonly #bounds: HarmBounds;
  readonly #since = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #pages = new Map<string, number>();
  /** Start of the present or latest harm; undefined before the first. */
  beganAtSeconds: number | undefined;
  lastSeconds = Number.NEGATIVE_INFINITY;

  constructor(bounds: HarmBounds) {
    this.#bounds = bounds;
  }

  /** Returns an independent record with the same content. */
  copy(): HarmLog {
    const copy = new HarmLog(this.#bounds);
    for (const [uid, since] of this.#since) copy.#since.set(uid, since);
    for (const [uid, last] of this.#last) copy.#last.set(uid, last);
    for (const [uid, pages] of this.#pages) copy.#pages.set(uid, pages);
    copy.beganAtSeconds = this.beganAtSeconds;
    copy.lastSeconds = this.lastSeconds;
    return copy;
  }

  /** Seconds from the start of the present or latest harm to its latest second; negative before the first. */
  get lastedSeconds(): number {
    return this.lastSeconds - (this.beganAtSeconds ?? 0);
  }

  /** Records the second that has just passed. */
  take(node: SimulatedNode): void {
    const now = node.atSeconds;
    for (const pod of node.pods) this.#takePod(pod, node.sharedStallOf(pod), now);
    const begun = [...this.#since].filter(([uid, since]) => this.#isHarmed(uid, since, now));
    if (begun.length === 0) return;
    const first = Math.min(...begun.map(([, since]) => since));
    if (now - this.lastSeconds > FORGIVEN_SECONDS) this.beganAtSeconds = first;
    this.lastSeconds = now;
  }

  #takePod({ plan, regions }: RunningPod, stall: number, now: number): void {
    const { uid } = plan.pod;
    const pages = resident(regions) + swapped(regions);
    const { waitedFraction, growingPages, stuckFraction } = this.#bounds;
    const isGrowing = pages - (this.#pages.get(uid) ?? 0) >= growingPages;
    this.#pages.set(uid, pages);
    if (stall < (isGrowing ? stuckFraction : waitedFraction)) return;
    const isNew = now - (this.#last.get(uid) ?? Number.NEGATIVE_INFINITY) > FORGIVEN_SECONDS;
    if (isNew) this.#since.set(uid, now);
    this.#last.set(uid, now);
  }

  #isHarmed(uid: string, since: number, now: number): boolean {
    const last = this.#last.get(uid) ?? Number.NEGATIVE_INFINITY;
    return now - last <= FORGIVEN_SECONDS && now - since >= HARM_SECONDS;
  }
}

// Later relief is attributed to another cause.
const RELIEF_SECONDS = 40;
const COUNTED_SECONDS = 20;
// A relieving pod takes away at least this part of the others' waiting.
const RELIEVED_FRACTION = 0.3;
const BEST_FRACTION = 0.5;

/**
 * Returns the pods whose removal would relieve the others. A copy of the node continues without each pod in turn, and the
 * waiting of the others is compared with that on a copy with it. The other pods do not grow: where two grow and each is
 * too much, the node is short again after either has gone, by the growth of the one that is left.
 */
export function relievers(node: SimulatedNode): RunningPod[] {
  const steady = waitedAfter(standing(node));
  const reliefs = node.pods.map((pod) => {
    const { uid } = pod.plan.pod;
    const remaining = pod.plan.growthPagesPerSecond > 0 ? waitedAfter(standing(node, uid)) : steady;
    const without = standing(node);
    without.remove(uid);
    const others = remaining.total - (remaining.byPod.get(uid) ?? 0);
    const relief = others === 0 ? 0 : (others - waitedAfter(without).total) / others;
    return { pod, relief };
  });
  const best = Math.max(0, ...reliefs.map(({ relief }) => relief));
  return reliefs
    .filter(({ relief }) => relief >= Math.max(RELIEVED_FRACTION, BEST_FRACTION * best))
    .map(({ pod }) => pod);
}

/** Returns a copy on which no pod grows except that of this UID. */
function standing(node: SimulatedNode, exceptUid?: string): SimulatedNode {
  const copy = node.copy();
  copy.stopGrowth(exceptUid);
  return copy;
}

/** Returns how long pods wait on a node that goes on. */
function waitedAfter(copy: SimulatedNode): {
  readonly total: number;
  readonly byPod: ReadonlyMap<string, number>;
} {
  const byPod = new Map<string, number>();
  for (let second = 0; second < RELIEF_SECONDS; second += 1) {
    copy.tick();
    if (second < RELIEF_SECONDS - COUNTED_SECONDS) continue;
    for (const pod of copy.pods) {
      const { uid } = pod.plan.pod;
      byPod.set(uid, (byPod.get(uid) ?? 0) + copy.sharedStallOf(pod));
    }
  }
  return { total: [...byPod.values()].reduce((sum, stall) => sum + stall, 0), byPod };
}
