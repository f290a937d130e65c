import { NO_SENSES, type Senses } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ThresholdState } from "./threshold.ts";

/** What has to be remembered between two decisions; seconds of a clock that never jumps. */
export interface EvictionState {
  readonly senses: Senses;
  /** By name of the threshold. */
  readonly thresholds: Readonly<Record<string, ThresholdState>>;
  /** Earlier snapshots, some seconds apart, oldest first, by which it is told whose swap moves. */
  readonly earlier: readonly Snapshot[];
  readonly awaited: { readonly podUid: string; readonly untilSeconds: number } | undefined;
  readonly cooldownUntilSeconds: number;
  /** The pods that were evicted in the last hour, oldest first. */
  readonly evicted: readonly Evicted[];
  /** The UID of a pod that a request failed for: it may go all the same, as it can be the answer that got lost. */
  readonly tried: string | undefined;
  /** Pods that are left out until a time, by UID. */
  readonly passedOver: Readonly<Record<string, number>>;
  /** Until when a pressure lasts that was felt by an agent before this one; undefined where there is none. */
  readonly inheritedUntilSeconds: number | undefined;
}

/** A pod that was evicted. */
export interface Evicted {
  readonly podUid: string;
  /** When that was asked for. */
  readonly atSeconds: number;
}

/** Nothing has happened yet. */
export const NO_EVICTIONS: EvictionState = {
  senses: NO_SENSES,
  thresholds: {},
  earlier: [],
  awaited: undefined,
  cooldownUntilSeconds: Number.NEGATIVE_INFINITY,
  evicted: [],
  tried: undefined,
  passedOver: {},
  inheritedUntilSeconds: undefined,
};

/** For how long it counts that a pod was evicted, or that it was never to be. */
export const HOUR_SECONDS = 3600;

/** Tells whether new pods are to be kept away: a threshold was crossed, here or by an agent before, and is not over. */
export function isPressed({ thresholds, inheritedUntilSeconds }: EvictionState): boolean {
  return inheritedUntilSeconds !== undefined || Object.values(thresholds).some(({ isCrossed }) => isCrossed);
}

/** Counts one more pod among those that were evicted, each of them once. */
export function withEvicted(
  evicted: readonly Evicted[],
  podUid: string,
  atSeconds: number,
): readonly Evicted[] {
  return [...evicted.filter((earlier) => earlier.podUid !== podUid), { podUid, atSeconds }];
}
