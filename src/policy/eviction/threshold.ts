import type { Observation, Signal } from "./signals.ts";

/** Comparison operators of a condition. */
export const OPERATORS = [">", ">=", "<", "<="] as const;

/** Comparison of a signal with a value. */
export interface Condition {
  readonly signal: Signal;
  readonly operator: (typeof OPERATORS)[number];
  /** In the signal's unit. */
  readonly value: number;
}

/** Eviction threshold: conditions that must be met together for a grace period. */
export interface Threshold {
  readonly name: string;
  readonly allOf: readonly Condition[];
  /** Time for which the conditions must be met without a break. */
  readonly graceSeconds: number;
  /** Time for which the conditions must be unmet until the pressure is over. */
  readonly minClearSeconds: number;
  /** True if pods may be deleted as the last resort, provided that the configuration allows it. */
  readonly isHard: boolean;
  /** Exception: while this is met, no eviction is called for, although the grace period runs. */
  readonly unless?: Condition;
  /** Fallback for nodes without this signal: the threshold applies only while the signal is unknown. */
  readonly onlyWithout?: Signal;
}

/** State of a threshold between two observations; times in seconds of a monotonic clock. */
export interface ThresholdState {
  /** Start of the time in which the conditions are met without a break; undefined while they are unmet. */
  readonly metSinceSeconds: number | undefined;
  readonly lastMetSeconds: number | undefined;
  /** The conditions were met for the grace period, and the pressure is not over. */
  readonly isCrossed: boolean;
  /** The threshold would call for an eviction now without its exception. */
  readonly isExcepted: boolean;
}

/** State of a threshold that was never met. */
export const NEVER_MET: ThresholdState = {
  metSinceSeconds: undefined,
  lastMetSeconds: undefined,
  isCrossed: false,
  isExcepted: false,
};

/** Updates the state of a threshold with an observation. */
export function updateThreshold(
  threshold: Threshold,
  state: ThresholdState,
  observation: Observation,
  nowSeconds: number,
): ThresholdState {
  if (!isMet(threshold, observation)) return whileUnmet(threshold, state, nowSeconds);
  const metSinceSeconds = state.metSinceSeconds ?? nowSeconds;
  const isDue = state.isCrossed || nowSeconds - metSinceSeconds >= threshold.graceSeconds;
  const isExcepted = isDue && hasException(threshold, observation);
  const isCrossed = state.isCrossed || (isDue && !isExcepted);
  return { metSinceSeconds, lastMetSeconds: nowSeconds, isCrossed, isExcepted };
}

/** Returns true if all conditions of a threshold are met now; an unknown signal meets no condition. */
export function isMet({ allOf, onlyWithout }: Threshold, observation: Observation): boolean {
  if (onlyWithout !== undefined && observation[onlyWithout] !== undefined) return false;
  return (
    allOf.length > 0 && allOf.every((condition) => isConditionMet(condition, observation[condition.signal]))
  );
}

function hasException({ unless }: Threshold, observation: Observation): boolean {
  return unless !== undefined && isConditionMet(unless, observation[unless.signal]);
}

function isConditionMet({ operator, value: bound }: Condition, value: number | undefined): boolean {
  if (value === undefined) return false;
  if (operator === ">") return value > bound;
  if (operator === ">=") return value >= bound;
  return operator === "<" ? value < bound : value <= bound;
}

// The grace period restarts; a crossed threshold stays crossed for minClearSeconds (hysteresis).
function whileUnmet(threshold: Threshold, state: ThresholdState, nowSeconds: number): ThresholdState {
  const { lastMetSeconds, isCrossed } = state;
  const isOver = lastMetSeconds === undefined || nowSeconds - lastMetSeconds >= threshold.minClearSeconds;
  return {
    metSinceSeconds: undefined,
    lastMetSeconds,
    isCrossed: isCrossed && !isOver,
    isExcepted: false,
  };
}
