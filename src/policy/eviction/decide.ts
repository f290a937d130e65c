import { type EvictionPace, updateAwaited } from "./await-victim.ts";
import type { HarmExcuse } from "./harm.ts";
import { isLeaving, neverEvictedReason, type VictimConfig } from "./never-evicted.ts";
import { type ObservationConfig, observe } from "./observe.ts";
import { relievingOf } from "./relief.ts";
import type { Observation } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import { type EvictionState, HOUR_SECONDS, isPressed } from "./state.ts";
import { isMet, NEVER_MET, type Threshold, type ThresholdState, updateThreshold } from "./threshold.ts";
import { type Candidate, candidatesOf, rankCandidates } from "./victim.ts";

/** Eviction modes: decisions are carried out, only logged, or not made. */
export const EVICTION_MODES = ["Enforce", "DryRun", "Off"] as const;

/** Last resorts for a node that evictions do not relieve. */
export const LAST_RESORTS = ["None", "Delete"] as const;

/** Knobs of eviction. */
export interface EvictionConfig extends ObservationConfig, VictimConfig, EvictionPace {
  readonly evictionMode: (typeof EVICTION_MODES)[number];
  /** Thresholds, each of which calls for an eviction while it is crossed. */
  readonly evictionThresholds: readonly Threshold[];
  readonly maxEvictionsPerHour: number;
  readonly lastResort: (typeof LAST_RESORTS)[number];
}

/** Reason for which no pod is evicted now. */
export type EvictionHoldReason =
  | "mode-off"
  /** No threshold's conditions are met. */
  | "not-pressed"
  /** Conditions are met, but not yet for the grace period; of harm, it is not yet enough. */
  | "grace-period"
  /** Conditions are met for the grace period, but so is the threshold's exception. */
  | "excepted"
  /** Pods wait for memory, but this does not count as harm; see HarmExcuse. */
  | HarmExcuse
  | "cooldown"
  /** The hourly maximum of evictions is reached. */
  | "capped"
  /** There is no pod. */
  | "no-candidate"
  /** No pod's end would relieve the others. */
  | "nobody-relieves"
  /** Those whose end would relieve the others are never evicted. */
  | "relieving-kept"
  /** Those whose end would relieve the others are on their way, and stayed beyond their time. */
  | "relieving-leaving"
  /** The evictions of those whose end would relieve the others are refused for now. */
  | "relieving-blocked"
  /** Two evictions have not ended the pressure. */
  | "not-relieved"
  /** The evictions of an earlier agent cannot be read from the node. */
  | "past-unknown"
  /** An administrator has stopped evictions on this node by its annotation. */
  | "stopped"
  /** The usage of all candidates is unknown. */
  | "no-figures";

/** Decision for this moment, with its reason. */
export type EvictionDecision =
  | { readonly verdict: "hold"; readonly reason: EvictionHoldReason }
  | { readonly verdict: "await"; readonly podUid: string; readonly untilSeconds: number }
  | {
      readonly verdict: "evict";
      /** `delete` is the last resort for a pod whose eviction is refused. */
      readonly method: "evict" | "delete";
      readonly victim: Candidate;
      /** All candidates, the first victim first. */
      readonly ranking: readonly Candidate[];
      /** Names of the thresholds that call for the eviction. */
      readonly thresholds: readonly string[];
    };

const MAX_UNRELIEVED = 2;
// Some seconds of a stall: less comes and goes on any node that swaps.
const NOTED_HARM = 0.2;

/** Returns true if a decision continues the one before it, without a new request. */
export function isSameDecision(a: EvictionDecision, b: EvictionDecision): boolean {
  if (a.verdict === "hold") return b.verdict === "hold" && a.reason === b.reason;
  return a.verdict === "await" && b.verdict === "await" && a.podUid === b.podUid;
}

/** Decision, the observation that it is based on, and the next state. */
export interface EvictionStep {
  readonly decision: EvictionDecision;
  readonly observation: Observation;
  readonly state: EvictionState;
  /** Candidates whose end would relieve the others, those included that may not be evicted; empty without pressure. */
  readonly relieving: readonly Candidate[];
}

/** Decides which pod to evict now, if any: one at a time. Pass the answer to each request to `withAnswer`. */
export function decideEviction(
  before: EvictionState,
  snapshot: Snapshot,
  config: EvictionConfig,
): EvictionStep {
  const now = snapshot.atSeconds;
  const { observation, history } = observe(before.signalHistory, snapshot, config);
  const thresholds = updateThresholds(before.thresholds, config.evictionThresholds, observation, now);
  const inheritedUntilSeconds = currentInheritedUntil({ ...before, thresholds }, observation, config, now);
  const updated = withPressure(
    withoutExpired({ ...before, signalHistory: history, thresholds, inheritedUntilSeconds }, now),
    now,
  );
  const candidates = isPressed(updated) ? candidatesOf(snapshot, history.pods[0]) : [];
  const relieving = relievingOf(candidates, snapshot, observation.pressureCause);
  const state = updateAwaited(updated, snapshot, candidates, relieving, config);
  const decision = decide(state, candidates, relieving, observation, config, now);
  return { decision, observation, state, relieving };
}

function withPressure(state: EvictionState, nowSeconds: number): EvictionState {
  return {
    ...state,
    pressedSinceSeconds: isPressed(state) ? (state.pressedSinceSeconds ?? nowSeconds) : undefined,
  };
}

/** Returns the end of an earlier agent's pressure, provided that all thresholds stay unmet from now on. */
export function inheritedUntil(
  { evictionThresholds, trafficWindowSeconds }: EvictionConfig,
  nowSeconds: number,
): number {
  // Until a whole traffic window has passed, signals may differ from those of the earlier agent.
  const clearSeconds = evictionThresholds.map(({ minClearSeconds }) => minClearSeconds);
  return nowSeconds + Math.max(trafficWindowSeconds, ...clearSeconds);
}

// Once this agent has crossed a threshold itself, that threshold decides when the pressure is over.
function currentInheritedUntil(
  { thresholds, inheritedUntilSeconds: until }: EvictionState,
  observation: Observation,
  config: EvictionConfig,
  nowSeconds: number,
): number | undefined {
  if (until === undefined || Object.values(thresholds).some(({ isCrossed }) => isCrossed)) return undefined;
  if (config.evictionThresholds.some((threshold) => isMet(threshold, observation)))
    return inheritedUntil(config, nowSeconds);
  return nowSeconds < until ? until : undefined;
}

function updateThresholds(
  states: EvictionState["thresholds"],
  thresholds: readonly Threshold[],
  observation: Observation,
  nowSeconds: number,
): EvictionState["thresholds"] {
  return Object.fromEntries(
    thresholds.map((threshold) => [
      threshold.name,
      updateThreshold(threshold, states[threshold.name] ?? NEVER_MET, observation, nowSeconds),
    ]),
  );
}

function withoutExpired(state: EvictionState, nowSeconds: number): EvictionState {
  return {
    ...state,
    evicted: state.evicted.filter(({ atSeconds }) => nowSeconds - atSeconds < HOUR_SECONDS),
    passedOver: Object.fromEntries(
      Object.entries(state.passedOver).filter(([, until]) => until > nowSeconds),
    ),
  };
}

function decide(
  state: EvictionState,
  candidates: readonly Candidate[],
  relieving: readonly Candidate[],
  observation: Observation,
  config: EvictionConfig,
  nowSeconds: number,
): EvictionDecision {
  if (config.evictionMode === "Off") return { verdict: "hold", reason: "mode-off" };
  if (state.awaited !== undefined) return { verdict: "await", ...state.awaited };
  const met = config.evictionThresholds.filter((threshold) => isMet(threshold, observation));
  const crossed = met.filter(({ name }) => callsForEviction(state.thresholds[name]));
  if (crossed.length === 0)
    return { verdict: "hold", reason: notCrossedReason(met, state, observation, config, nowSeconds) };
  if (nowSeconds < state.cooldownUntilSeconds) return { verdict: "hold", reason: "cooldown" };
  const choice = chooseVictim(state, candidates, relieving, crossed, config);
  // Where nobody may go anyway, that says more than a limit that is reached.
  if (choice.verdict !== "evict") return choice;
  if (evictionsOfThisPressure(state) >= MAX_UNRELIEVED) return { verdict: "hold", reason: "not-relieved" };
  if (state.evicted.length >= config.maxEvictionsPerHour) return { verdict: "hold", reason: "capped" };
  return choice;
}

function callsForEviction(state: ThresholdState | undefined): boolean {
  return state?.isCrossed === true && !state.isExcepted;
}

function notCrossedReason(
  met: readonly Threshold[],
  state: EvictionState,
  { excuse, harm = 0 }: Observation,
  { evictionThresholds }: EvictionConfig,
  nowSeconds: number,
): EvictionHoldReason {
  const isHarmDecisive = evictionThresholds.some(({ allOf }) =>
    allOf.some(({ signal }) => signal === "harm"),
  );
  if (met.length === 0 && !isHarmDecisive) return "not-pressed";
  if (met.length === 0 && excuse !== undefined) return excuse;
  if (met.length === 0 && isPressed(state) && nowSeconds < state.cooldownUntilSeconds) return "cooldown";
  // Under pressure, each second of a stall is on its way to the next eviction.
  const isNoted = harm >= NOTED_HARM || (harm > 0 && isPressed(state));
  if (met.length === 0) return isNoted ? "grace-period" : "not-pressed";
  return met.some(({ name }) => state.thresholds[name]?.isExcepted) ? "excepted" : "grace-period";
}

function evictionsOfThisPressure({ evicted, pressedSinceSeconds }: EvictionState): number {
  if (pressedSinceSeconds === undefined) return 0;
  return evicted.filter(({ atSeconds }) => atSeconds >= pressedSinceSeconds).length;
}

function chooseVictim(
  state: EvictionState,
  candidates: readonly Candidate[],
  relieving: readonly Candidate[],
  crossed: readonly Threshold[],
  config: EvictionConfig,
): EvictionDecision {
  const hold = (reason: EvictionHoldReason): EvictionDecision => ({ verdict: "hold", reason });
  if (candidates.length === 0) return hold("no-candidate");
  if (candidates.every(({ usageBytes }) => usageBytes === undefined)) return hold("no-figures");
  if (relieving.length === 0) return hold("nobody-relieves");
  const reasons = relieving.map((candidate) => neverEvictedReason(candidate.pod, candidate, config));
  const ranking = rankCandidates(relieving.filter((_, index) => reasons[index] === undefined));
  const [first] = ranking;
  if (first === undefined) return hold(reasons.some(isLeaving) ? "relieving-leaving" : "relieving-kept");
  const victim = ranking.find(({ pod }) => !(pod.uid in state.passedOver));
  const thresholds = crossed.map(({ name }) => name);
  if (victim !== undefined) return { verdict: "evict", method: "evict", victim, ranking, thresholds };
  const isLast = config.lastResort === "Delete" && crossed.some(({ isHard }) => isHard);
  return isLast
    ? { verdict: "evict", method: "delete", victim: first, ranking, thresholds }
    : hold("relieving-blocked");
}
