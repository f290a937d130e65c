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
  /** They are, for long enough, but something speaks against it that a threshold names. */
  | "excepted"
  | "cooldown"
  /** As many were evicted in the last hour as may be. */
  | "capped"
  /** Every pod is one that is never evicted, or is passed over for now. */
  | "no-candidate"
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

/** How the API server answered the request to evict a pod. */
export type EvictionAnswer =
  /** The pod is about to go. */
  | "accepted"
  /** KubeVirt moves the virtual machine to another node, after which the pod goes. */
  | "evacuating"
  /** A disruption budget does not allow it now. */
  | "blocked"
  /** It will not be allowed, however often one asks. */
  | "never"
  /** There is no such pod any more, or another one has its name. */
  | "gone"
  /** The request failed; it may be made again. */
  | "failed"
  /** It was not made, because only decisions are asked for. */
  | "dry-run";

/** What has to be remembered between two decisions; seconds of a clock that never jumps. */
export interface EvictionState {
  readonly senses: Senses;
  /** By name of the threshold. */
  readonly thresholds: Readonly<Record<string, ThresholdState>>;
  /** Earlier snapshots, some seconds apart, oldest first, by which it is told whose swap moves. */
  readonly earlier: readonly Snapshot[];
  readonly awaited: { readonly podUid: string; readonly untilSeconds: number } | undefined;
  readonly cooldownUntilSeconds: number;
  /** When pods were evicted in the last hour. */
  readonly evictedSeconds: readonly number[];
  /** Pods that are left out until a time, by UID. */
  readonly passedOver: Readonly<Record<string, number>>;
}

/** Nothing has happened yet. */
export const NO_EVICTIONS: EvictionState = {
  senses: NO_SENSES,
  thresholds: {},
  earlier: [],
  awaited: undefined,
  cooldownUntilSeconds: Number.NEGATIVE_INFINITY,
  evictedSeconds: [],
  passedOver: {},
};

const HOUR_SECONDS = 3600;
const EARLIER_SPACING_SECONDS = 5;
const EARLIER_COUNT = 3;
const BLOCKED_SECONDS = 60;
const FAILED_SECONDS = 5;

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
  const sensed = { ...before, senses, thresholds, earlier: withEarlier(before.earlier, snapshot) };
  const state = withGoing(afterWaiting(expired(sensed, now), snapshot, config), snapshot, config);
  return { decision: decide(state, snapshot, observation, config), observation, state };
}

/** Tells whether new pods are to be kept away: a threshold was crossed, and is not over. */
export function isPressed({ thresholds }: EvictionState): boolean {
  return Object.values(thresholds).some(({ isCrossed }) => isCrossed);
}

/** What to remember once a request to evict a pod was answered. */
export function answered(
  state: EvictionState,
  podUid: string,
  answer: EvictionAnswer,
  config: EvictionConfig,
  nowSeconds: number,
): EvictionState {
  // Who was passed over already is deleted as the last resort; refused that, it is not asked for each second.
  const isLast = podUid in state.passedOver;
  const passOver = (seconds: number) => ({
    ...state,
    cooldownUntilSeconds: isLast ? nowSeconds + BLOCKED_SECONDS : state.cooldownUntilSeconds,
    passedOver: { ...state.passedOver, [podUid]: nowSeconds + seconds },
  });
  if (answer === "blocked") return passOver(BLOCKED_SECONDS);
  if (answer === "never") return passOver(HOUR_SECONDS);
  // Somebody else was faster, and relief takes time to show.
  if (answer === "gone")
    return { ...passOver(HOUR_SECONDS), cooldownUntilSeconds: nowSeconds + config.cooldownSeconds };
  if (answer === "failed") return { ...state, cooldownUntilSeconds: nowSeconds + FAILED_SECONDS };
  const evictedSeconds = [...state.evictedSeconds, nowSeconds];
  if (answer === "dry-run")
    return { ...state, evictedSeconds, cooldownUntilSeconds: nowSeconds + config.cooldownSeconds };
  return {
    ...state,
    evictedSeconds,
    awaited: { podUid, untilSeconds: nowSeconds + config.victimDeadlineSeconds },
  };
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
    evictedSeconds: state.evictedSeconds.filter((at) => nowSeconds - at < HOUR_SECONDS),
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

/** Waits for a pod that goes already, whoever sent it away: an agent before this one, or its owner. */
function withGoing(state: EvictionState, snapshot: Snapshot, config: EvictionConfig): EvictionState {
  if (state.awaited !== undefined || !isPressed(state)) return state;
  const victim = rankGoing(snapshot, config).find(({ pod }) => !(pod.uid in state.passedOver));
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
  const crossed = met.filter(({ name }) => isCalling(state.thresholds[name]));
  if (crossed.length === 0) return { verdict: "hold", reason: whyNotCrossed(met, state) };
  if (now < state.cooldownUntilSeconds) return { verdict: "hold", reason: "cooldown" };
  if (state.evictedSeconds.length >= config.maxEvictionsPerHour) return { verdict: "hold", reason: "capped" };
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
