import type { Observation, Signal } from "./signals.ts";

/** How a signal is held against a figure. */
export const OPERATORS = [">", ">=", "<", "<="] as const;

/** One signal held against one figure. */
export interface Condition {
  readonly signal: Signal;
  readonly operator: (typeof OPERATORS)[number];
  /** In the signal's unit. */
  readonly value: number;
}

/** What calls for an eviction: conditions that are met together for a while. */
export interface Threshold {
  readonly name: string;
  readonly allOf: readonly Condition[];
  /** How long they have to be met without a break. */
  readonly graceSeconds: number;
  /** How long they have to be unmet until it is over. */
  readonly minClearSeconds: number;
  /** Whether it stands for the last moment, at which pods may be deleted if the configuration allows that. */
  readonly isHard: boolean;
  /** While this is met, nothing is called for, though the grace period runs. */
  readonly unless?: Condition;
  /** It counts only while this signal cannot be told: a fallback, for nodes without it. */
  readonly onlyWithout?: Signal;
}

/** What has to be remembered of a threshold; seconds of a clock that never jumps. */
export interface ThresholdState {
  /** Since when the conditions have been met, or were when they last were. */
  readonly metSinceSeconds: number | undefined;
  readonly lastMetSeconds: number | undefined;
  /** It was met for the grace period, and is not over. */
  readonly isCrossed: boolean;
  /** It would call for an eviction now, but for its exception. */
  readonly isExcepted: boolean;
}

/** A threshold that was never met. */
export const NEVER_MET: ThresholdState = {
  metSinceSeconds: undefined,
  lastMetSeconds: undefined,
  isCrossed: false,
  isExcepted: false,
};

/** Holds a threshold against an observation. */
export function hold(
  threshold: Threshold,
  state: ThresholdState,
  observation: Observation,
  nowSeconds: number,
): ThresholdState {
  if (!isMet(threshold, observation)) return unmet(threshold, state, nowSeconds);
  const metSinceSeconds = state.metSinceSeconds ?? nowSeconds;
  const isDue = state.isCrossed || nowSeconds - metSinceSeconds >= threshold.graceSeconds;
  const isExcepted = isDue && hasException(threshold, observation);
  const isCrossed = state.isCrossed || (isDue && !isExcepted);
  return { metSinceSeconds, lastMetSeconds: nowSeconds, isCrossed, isExcepted };
}

/** Whether all conditions of a threshold are met at this moment; a signal that cannot be told meets none. */
export function isMet({ allOf, onlyWithout }: Threshold, observation: Observation): boolean {
  if (onlyWithout !== undefined && observation[onlyWithout] !== undefined) return false;
  return (
    allOf.length > 0 && allOf.every((condition) => isConditionMet(condition, observation[condition.signal]))
  );
}

function hasException({ unless }: Threshold, observation: Observation): boolean {
  return unless !== undefined && isConditionMet(unless, observation[unless.signal]);
}

function isConditionMet({ operator, value }: Condition, figure: number | undefined): boolean {
  if (figure === undefined) return false;
  if (operator === ">") return figure > value;
  if (operator === ">=") return figure >= value;
  return operator === "<" ? figure < value : figure <= value;
}

// The grace period begins anew; what was crossed stays so for a while, or nobody would see it come and go.
function unmet(threshold: Threshold, state: ThresholdState, nowSeconds: number): ThresholdState {
  const { lastMetSeconds, isCrossed } = state;
  const isOver = lastMetSeconds === undefined || nowSeconds - lastMetSeconds >= threshold.minClearSeconds;
  return {
    metSinceSeconds: undefined,
    lastMetSeconds,
    isCrossed: isCrossed && !isOver,
    isExcepted: false,
  };
}
