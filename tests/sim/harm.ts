import type { SimulatedNode } from "./node.ts";
import { type RunningPod, resident, swapped } from "./pod.ts";

/** Time for which a pod waits until it counts as harmed; dips of some seconds are forgiven. */
export const HARM_SECONDS = 10;

/**
 * Fractions of the time for which a pod waits from which it may be harmed, and from which it certainly is. In between,
 * either decision is right: what a pod's pressure shows is neither exact nor the same, as the kernel leaves out the time in
 * which all of its tasks sleep.
 */
export const POSSIBLE_FRACTION = 0.15;
export const CERTAIN_FRACTION = 0.25;

const FORGIVEN_SECONDS = 5;
/** Growth in a second, in pages, from which a pod waits for its own growth. */
const GROWING_PAGES = 256;

/** Record of the pods that wait for memory that the node is short of, other than for their own growth. */
export class HarmLog {
  readonly #fraction: number;
  readonly #since = new Map<string, number>();
  readonly #last = new Map<string, number>();
  readonly #pages = new Map<string, number>();
  /** Start of the present or latest harm; undefined before the first. */
  beganAtSeconds: number | undefined;
  lastSeconds = Number.NEGATIVE_INFINITY;

  constructor(fraction: number) {
    this.#fraction = fraction;
  }

  /** Returns an independent record with the same content. */
  copy(): HarmLog {
    const copy = new HarmLog(this.#fraction);
    for (const [uid, since] of this.#since) copy.#since.set(uid, since);
    for (const [uid, last] of this.#last) copy.#last.set(uid, last);
    for (const [uid, pages] of this.#pages) copy.#pages.set(uid, pages);
    copy.beganAtSeconds = this.beganAtSeconds;
    copy.lastSeconds = this.lastSeconds;
    return copy;
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
    const isGrowing = pages - (this.#pages.get(uid) ?? 0) >= GROWING_PAGES;
    this.#pages.set(uid, pages);
    // A pod that waits for memory that it takes is not harmed by others.
    if (stall < this.#fraction || isGrowing) return;
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
