import type { Snapshot } from "../eviction/snapshot.ts";
import type { SwapHeadroom } from "../eviction/swap-headroom.ts";

/** Stalls of the pods, and the evictions that are to relieve them; times in seconds of a monotonic clock. */
export interface ReliefState {
  readonly stalledSinceSeconds: number | undefined;
  readonly calmSinceSeconds: number | undefined;
  /** Start of the evictions that follow each other closely; undefined without one. */
  readonly evictingSinceSeconds: number | undefined;
  /** Last time at which an eviction was under way. */
  readonly evictingUntilSeconds: number;
  /** Pods have been stalled for minutes, and nothing under way would relieve them. */
  readonly isUnrelieved: boolean;
}

/** State before the first snapshot. */
export const NO_STALLS: ReliefState = {
  stalledSinceSeconds: undefined,
  calmSinceSeconds: undefined,
  evictingSinceSeconds: undefined,
  evictingUntilSeconds: Number.NEGATIVE_INFINITY,
  isUnrelieved: false,
};

const STALLED_PERCENT = 10;
const CALM_PERCENT = 5;
const RELIEF_SECONDS = 120;
// Pods that have nothing left to swap only wait at memory.high, unless one of them is evicted.
const EXHAUSTED_RELIEF_SECONDS = 60;
const EXHAUSTED_FRACTION = 0.1;
const CALM_SECONDS = 60;
// Default grace period of a pod, the time in which relief shows, and some requests of a thrashing node.
const EVICTING_MAX_SECONDS = 90;
// Relief shows in the kernel's average over ten seconds; a failed request is repeated within this time.
const RELIEF_SHOWS_SECONDS = 30;

/** Updates the stalls; `pods` is the pods' room in swap, undefined if unknown. */
export function updateRelief(
  before: ReliefState,
  { atSeconds, kubepods }: Snapshot,
  pods: SwapHeadroom | undefined,
  isEvicting: boolean,
): ReliefState {
  const evicting = withEvictions(before, atSeconds, isEvicting);
  const stalledPercent = kubepods?.memoryPressure?.full?.avg10Percent ?? 0;
  if (stalledPercent >= STALLED_PERCENT) return whileStalled(evicting, atSeconds, pods);
  if (stalledPercent >= CALM_PERCENT) return { ...evicting, calmSinceSeconds: undefined };
  const calm = before.calmSinceSeconds ?? atSeconds;
  return {
    ...evicting,
    stalledSinceSeconds: undefined,
    calmSinceSeconds: calm,
    isUnrelieved: before.isUnrelieved && atSeconds - calm < CALM_SECONDS,
  };
}

/** Returns true if an eviction is under way, or if its relief may still show; within a bound for all that follow closely. */
export function isReliefUnderWay({ evictingSinceSeconds: since }: ReliefState, nowSeconds: number): boolean {
  return since !== undefined && nowSeconds - since < EVICTING_MAX_SECONDS;
}

/** Returns true if stalls have been over for a minute. */
export function isCalm({ calmSinceSeconds }: ReliefState, nowSeconds: number): boolean {
  return calmSinceSeconds !== undefined && nowSeconds - calmSinceSeconds >= CALM_SECONDS;
}

function withEvictions(before: ReliefState, nowSeconds: number, isEvicting: boolean): ReliefState {
  const { evictingSinceSeconds, evictingUntilSeconds } = before;
  if (isEvicting)
    return {
      ...before,
      evictingSinceSeconds: evictingSinceSeconds ?? nowSeconds,
      evictingUntilSeconds: nowSeconds,
    };
  const isOver = nowSeconds - evictingUntilSeconds >= RELIEF_SHOWS_SECONDS;
  return isOver ? { ...before, evictingSinceSeconds: undefined } : before;
}

function whileStalled(state: ReliefState, nowSeconds: number, pods: SwapHeadroom | undefined): ReliefState {
  const since = state.stalledSinceSeconds ?? nowSeconds;
  const isDue = nowSeconds - since >= (isExhausted(pods) ? EXHAUSTED_RELIEF_SECONDS : RELIEF_SECONDS);
  return {
    ...state,
    stalledSinceSeconds: since,
    calmSinceSeconds: undefined,
    isUnrelieved: state.isUnrelieved || (isDue && !isReliefUnderWay(state, nowSeconds)),
  };
}

function isExhausted(pods: SwapHeadroom | undefined): boolean {
  return pods !== undefined && pods.leftBytes <= EXHAUSTED_FRACTION * (pods.swappedBytes + pods.leftBytes);
}
