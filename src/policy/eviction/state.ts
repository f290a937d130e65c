import { NO_SIGNAL_HISTORY, type SignalHistory } from "./observe.ts";
import type { ThresholdState } from "./threshold.ts";

/** State between two eviction decisions; times in seconds of a monotonic clock. */
export interface EvictionState {
  readonly signalHistory: SignalHistory;
  /** By threshold name. */
  readonly thresholds: Readonly<Record<string, ThresholdState>>;
  /** Start of the present pressure; undefined without one. */
  readonly pressedSinceSeconds: number | undefined;
  readonly awaited: { readonly podUid: string; readonly untilSeconds: number } | undefined;
  readonly cooldownUntilSeconds: number;
  /** Pods evicted in the last hour, oldest first. */
  readonly evicted: readonly EvictedPod[];
  /** UID of a pod whose eviction request failed: the API server may have received it, with only the answer lost. */
  readonly unansweredPodUid: string | undefined;
  /** End of the time in which a pod is no candidate, by pod UID. */
  readonly passedOver: Readonly<Record<string, number>>;
  /** End of the pressure that an earlier agent reported; undefined without one. */
  readonly inheritedUntilSeconds: number | undefined;
}

/** Pod for which an eviction was requested. */
export interface EvictedPod {
  readonly podUid: string;
  /** Time of the request. */
  readonly atSeconds: number;
}

/** State before the first decision. */
export const NO_EVICTIONS: EvictionState = {
  signalHistory: NO_SIGNAL_HISTORY,
  thresholds: {},
  pressedSinceSeconds: undefined,
  awaited: undefined,
  cooldownUntilSeconds: Number.NEGATIVE_INFINITY,
  evicted: [],
  unansweredPodUid: undefined,
  passedOver: {},
  inheritedUntilSeconds: undefined,
};

/** Time for which an eviction counts towards the hourly maximum, and for which a refused pod is passed over. */
export const HOUR_SECONDS = 3600;

/** Returns true if the node is under pressure: a threshold was crossed, here or by an earlier agent, and is not over. */
export function isPressed({ thresholds, inheritedUntilSeconds }: EvictionState): boolean {
  return inheritedUntilSeconds !== undefined || Object.values(thresholds).some(({ isCrossed }) => isCrossed);
}

/** Adds a pod to the evicted ones, or updates its time. */
export function withEvicted(
  evicted: readonly EvictedPod[],
  podUid: string,
  atSeconds: number,
): readonly EvictedPod[] {
  return [...evicted.filter((earlier) => earlier.podUid !== podUid), { podUid, atSeconds }];
}
