import { type EvictionPace, waiting } from "./await-victim.ts";
import { type Observation, type SensingConfig, sense } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import { type EvictionState, HOUR_SECONDS } from "./state.ts";
import { hold, isMet, NEVER_MET, type Threshold, type ThresholdState } from "./threshold.ts";
import { type Candidate, rankVictims, type VictimConfig } from "./victim.ts";

/** Whether decisions are carried out, only told, or not made at all. */
export const EVICTION_MODES = ["Enforce", "DryRun", "Off"] as const;

/** What may be done where evictions do not relieve. */
export const LAST_RESORTS = ["None", "Delete"] as const;

/** The knobs of eviction. */
export interface EvictionConfig extends SensingConfig, VictimConfig, EvictionPace {
  readonly evictionMode: (typeof EVICTION_MODES)[number];
  /** Any of them that is crossed calls for an eviction. */
  readonly evictionThresholds: readonly Threshold[];
  readonly maxEvictionsPerHour: number;
  readonly lastResort: (typeof LAST_RESORTS)[number];
}

/** Why nobody is evicted now. */
export type EvictionHoldReason =
  | "mode-off"
  /** No threshold's conditions are met. */
  | "not-pressed"
  /** They are, but not for long enough. */
  | "grace-period"
  /** They are, for long enough, but something speaks against it that a threshold names. */
  | "excepted"
  | "cooldown"
  /** As many were evicted in the last hour as may be. */
  | "capped"
  /** Every pod is one that is never evicted, or is passed over for now. */
  | "no-candidate"
  /** Whom an agent before this one evicted cannot be read of the node. */
  | "past-unknown"
  /** Nothing is known of what the pods use. */
  | "no-figures";

/** What to do now, and why. */
export type EvictionDecision =
  | { readonly verdict: "hold"; readonly reason: EvictionHoldReason }
  | { readonly verdict: "await"; readonly podUid: string; readonly untilSeconds: number }
  | {
      readonly verdict: "evict";
      /** Deleted is who cannot be evicted, as the last resort. */
      readonly method: "evict" | "delete";
      readonly victim: Candidate;
      /** All candidates, the first victim first. */
      readonly ranking: readonly Candidate[];
      /** Names of the thresholds that call for it. */
      readonly thresholds: readonly string[];
    };

const EARLIER_SPACING_SECONDS = 5;
const EARLIER_COUNT = 3;

/** Whether a decision goes on with the one before it: it says the same, and asks for nothing anew. */
export function isSameDecision(a: EvictionDecision, b: EvictionDecision): boolean {
  if (a.verdict === "hold") return b.verdict === "hold" && a.reason === b.reason;
  return a.verdict === "await" && b.verdict === "await" && a.podUid === b.podUid;
}

/** What was decided, what it was decided on, and what to remember. */
export interface Decided {
  readonly decision: EvictionDecision;
  readonly observation: Observation;
  readonly state: EvictionState;
}

/** Decides whom to evict now, if anybody: one at a time. Whatever is decided is to be told to `answered`. */
export function decideEviction(before: EvictionState, snapshot: Snapshot, config: EvictionConfig): Decided {
  const now = snapshot.atSeconds;
  const { observation, senses } = sense(before.senses, snapshot, config);
  const thresholds = holdAll(before.thresholds, config.evictionThresholds, observation, now);
  const earlier = withEarlier(before.earlier, snapshot);
  const inheritedUntilSeconds = stillInherited({ ...before, thresholds }, observation, config, now);
  const sensed = expired({ ...before, senses, thresholds, earlier, inheritedUntilSeconds }, now);
  const state = waiting(sensed, snapshot, config);
  return { decision: decide(state, snapshot, observation, config), observation, state };
}

/** Until when a pressure that an agent before this one felt has to be unfelt to be over, felt or taken over now. */
export function inheritedUntil(
  { evictionThresholds, trafficWindowSeconds }: EvictionConfig,
  nowSeconds: number,
): number {
  // Before a window is over, a signal does not say what it would have said to the one before.
  const clearSeconds = evictionThresholds.map(({ minClearSeconds }) => minClearSeconds);
  return nowSeconds + Math.max(trafficWindowSeconds, ...clearSeconds);
}

// Once this agent has crossed a threshold itself, that one tells when it is over.
function stillInherited(
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

function holdAll(
  states: EvictionState["thresholds"],
  thresholds: readonly Threshold[],
  observation: Observation,
  nowSeconds: number,
): EvictionState["thresholds"] {
  return Object.fromEntries(
    thresholds.map((threshold) => [
      threshold.name,
      hold(threshold, states[threshold.name] ?? NEVER_MET, observation, nowSeconds),
    ]),
  );
}

function withEarlier(earlier: readonly Snapshot[], snapshot: Snapshot): readonly Snapshot[] {
  const last = earlier.at(-1);
  const isDue = last === undefined || snapshot.atSeconds - last.atSeconds >= EARLIER_SPACING_SECONDS;
  return isDue && snapshot.containers.length > 0 ? [...earlier, snapshot].slice(-EARLIER_COUNT) : earlier;
}

function expired(state: EvictionState, nowSeconds: number): EvictionState {
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
  snapshot: Snapshot,
  observation: Observation,
  config: EvictionConfig,
): EvictionDecision {
  const now = snapshot.atSeconds;
  if (config.evictionMode === "Off") return { verdict: "hold", reason: "mode-off" };
  if (state.awaited !== undefined) return { verdict: "await", ...state.awaited };
  const met = config.evictionThresholds.filter((threshold) => isMet(threshold, observation));
  const crossed = met.filter(({ name }) => isCalling(state.thresholds[name]));
  if (crossed.length === 0) return { verdict: "hold", reason: whyNotCrossed(met, state) };
  if (now < state.cooldownUntilSeconds) return { verdict: "hold", reason: "cooldown" };
  if (state.evicted.length >= config.maxEvictionsPerHour) return { verdict: "hold", reason: "capped" };
  return choose(state, snapshot, crossed, config);
}

function isCalling(state: ThresholdState | undefined): boolean {
  return state?.isCrossed === true && !state.isExcepted;
}

function whyNotCrossed(met: readonly Threshold[], { thresholds }: EvictionState): EvictionHoldReason {
  if (met.length === 0) return "not-pressed";
  return met.some(({ name }) => thresholds[name]?.isExcepted) ? "excepted" : "grace-period";
}

function choose(
  state: EvictionState,
  snapshot: Snapshot,
  crossed: readonly Threshold[],
  config: EvictionConfig,
): EvictionDecision {
  const ranking = rankVictims(snapshot, state.earlier[0], config);
  const known = ranking.filter(({ usageBytes }) => usageBytes !== undefined);
  const [first] = known;
  if (first === undefined)
    return { verdict: "hold", reason: ranking.length === 0 ? "no-candidate" : "no-figures" };
  const victim = known.find(({ pod }) => !(pod.uid in state.passedOver));
  const thresholds = crossed.map(({ name }) => name);
  if (victim !== undefined) return { verdict: "evict", method: "evict", victim, ranking, thresholds };
  const isLast = config.lastResort === "Delete" && crossed.some(({ isHard }) => isHard);
  return isLast
    ? { verdict: "evict", method: "delete", victim: first, ranking, thresholds }
    : { verdict: "hold", reason: "no-candidate" };
}
