import type { Observation } from "./signals.ts";
import { NO_SENSES, type Senses, type SensingConfig, sense } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import { hold, isMet, NEVER_MET, type Threshold, type ThresholdState } from "./threshold.ts";
import { type Candidate, rankGoing, rankVictims, type VictimConfig } from "./victim.ts";

/** Whether decisions are carried out, only told, or not made at all. */
export const EVICTION_MODES = ["Enforce", "DryRun", "Off"] as const;

/** What may be done where evictions do not relieve. */
export const LAST_RESORTS = ["None", "Delete"] as const;

/** The knobs of eviction. */
export interface EvictionConfig extends SensingConfig, VictimConfig {
  readonly evictionMode: (typeof EVICTION_MODES)[number];
  /** Any of them that is crossed calls for an eviction. */
  readonly evictionThresholds: readonly Threshold[];
  /** How long after a victim is gone nobody else is evicted: relief takes time to show. */
  readonly cooldownSeconds: number;
  /** How long a victim may take to go, or to be moved. */
  readonly victimDeadlineSeconds: number;
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

const EARLIER_SPACING_SECONDS = 5;
const EARLIER_COUNT = 3;

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
  const state = withGoing(
    afterTrying(afterWaiting(sensed, snapshot, config), snapshot, config),
    snapshot,
    config,
  );
  return { decision: decide(state, snapshot, observation, config), observation, state };
}

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

/** Ends the wait for a victim that is gone, or that has taken too long: the next one then is somebody else. */
function afterWaiting(state: EvictionState, snapshot: Snapshot, config: EvictionConfig): EvictionState {
  const { awaited } = state;
  const now = snapshot.atSeconds;
  if (awaited === undefined) return state;
  const isThere = snapshot.pods.some(({ uid }) => uid === awaited.podUid);
  if (isThere && now < awaited.untilSeconds) return state;
  const passedOver = isThere
    ? { ...state.passedOver, [awaited.podUid]: now + HOUR_SECONDS }
    : state.passedOver;
  return { ...state, passedOver, awaited: undefined, cooldownUntilSeconds: now + config.cooldownSeconds };
}

/** Takes a pod that is gone, and that a request failed for, for evicted: relief takes time to show. */
function afterTrying(state: EvictionState, snapshot: Snapshot, config: EvictionConfig): EvictionState {
  const { tried: podUid } = state;
  const { atSeconds } = snapshot;
  if (podUid === undefined || snapshot.pods.some(({ uid }) => uid === podUid)) return state;
  return {
    ...state,
    tried: undefined,
    evicted: withEvicted(state.evicted, podUid, atSeconds),
    cooldownUntilSeconds: atSeconds + config.cooldownSeconds,
  };
}

/** Waits for a pod that goes already, if it was evicted from here, or if relief may come of it whoever sent it away. */
function withGoing(state: EvictionState, snapshot: Snapshot, config: EvictionConfig): EvictionState {
  if (state.awaited !== undefined || !isPressed(state)) return state;
  const own = new Set([state.tried, ...state.evicted.map(({ podUid }) => podUid)]);
  const victim = rankGoing(snapshot, config).find(
    ({ pod, isOverRequest }) => (own.has(pod.uid) || isOverRequest) && !(pod.uid in state.passedOver),
  );
  if (victim === undefined) return state;
  const untilSeconds = snapshot.atSeconds + config.victimDeadlineSeconds;
  return { ...state, awaited: { podUid: victim.pod.uid, untilSeconds } };
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
  const crossed = met.filter(({ name }) => state.thresholds[name]?.isCrossed);
  if (crossed.length === 0)
    return { verdict: "hold", reason: met.length === 0 ? "not-pressed" : "grace-period" };
  if (now < state.cooldownUntilSeconds) return { verdict: "hold", reason: "cooldown" };
  if (state.evicted.length >= config.maxEvictionsPerHour) return { verdict: "hold", reason: "capped" };
  return choose(state, snapshot, crossed, config);
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
