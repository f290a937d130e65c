import { withAnswer } from "../policy/eviction/answer.ts";
import {
  decideEviction,
  type EvictionConfig,
  type EvictionDecision,
  isSameDecision,
} from "../policy/eviction/decide.ts";
import type { Observation } from "../policy/eviction/signals.ts";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import { type EvictionState, isPressed, NO_EVICTIONS } from "../policy/eviction/state.ts";
import { isMet } from "../policy/eviction/threshold.ts";

/** How long a victim is taken to be there once it is evicted: a pod's grace period, where its spec sets none. */
export const VICTIM_EXIT_SECONDS = 30;

/** What was observed and decided at a moment of a recording. */
export interface ReplayedMoment {
  readonly atSeconds: number;
  readonly observation: Observation;
  /** Names of the thresholds whose conditions are met. */
  readonly met: readonly string[];
  /** Names of those that are crossed, and not over. */
  readonly crossed: readonly string[];
  readonly isTainted: boolean;
}

/** A time for which one thing is decided. */
export interface ReplayedPhase {
  readonly fromSeconds: number;
  /** When the next one begins, or the recording ends. */
  readonly toSeconds: number;
  readonly decision: EvictionDecision;
  /**
   * It comes after an eviction that the recording knows nothing of: in it the victim went on, and what is decided now
   * is what would have been, had its going relieved nothing.
   */
  readonly isSupposed: boolean;
}

/**
 * Makes the decisions of a recording, snapshot by snapshot, as the agent would have made them. Every request is taken to
 * be accepted, and its pod to be gone a grace period later, whatever the recording has of it from then on.
 */
export class Replay {
  readonly moments: ReplayedMoment[] = [];
  readonly phases: ReplayedPhase[] = [];
  readonly #config: EvictionConfig;
  readonly #goneAtSeconds = new Map<string, number>();
  #state: EvictionState = NO_EVICTIONS;

  /** The mode counts for nothing: decided is as Enforce would. */
  constructor(config: EvictionConfig) {
    this.#config = { ...config, evictionMode: "Enforce" };
  }

  /** Takes the next snapshot. */
  take(recorded: Snapshot): void {
    const snapshot = this.#withoutGone(recorded);
    const { decision, observation, state } = decideEviction(this.#state, snapshot, this.#config);
    this.#state = state;
    this.moments.push({
      atSeconds: snapshot.atSeconds,
      observation,
      met: this.#config.evictionThresholds
        .filter((threshold) => isMet(threshold, observation))
        .map(({ name }) => name),
      crossed: Object.keys(state.thresholds).filter((name) => state.thresholds[name]?.isCrossed),
      isTainted: isPressed(state),
    });
    this.#note(decision, snapshot.atSeconds);
    if (decision.verdict === "evict") this.#evict(decision.victim.pod.uid, snapshot.atSeconds);
  }

  #withoutGone(snapshot: Snapshot): Snapshot {
    const isThere = (uid: string) =>
      (this.#goneAtSeconds.get(uid) ?? Number.POSITIVE_INFINITY) > snapshot.atSeconds;
    if (this.#goneAtSeconds.size === 0) return snapshot;
    return {
      ...snapshot,
      pods: snapshot.pods.filter(({ uid }) => isThere(uid)),
      containers: snapshot.containers.filter(({ podUid }) => isThere(podUid)),
    };
  }

  #note(decision: EvictionDecision, atSeconds: number): void {
    const last = this.phases.pop();
    if (last !== undefined) this.phases.push({ ...last, toSeconds: atSeconds });
    if (last !== undefined && isSameDecision(last.decision, decision)) return;
    const isSupposed = this.#goneAtSeconds.size > 0;
    this.phases.push({ fromSeconds: atSeconds, toSeconds: atSeconds, decision, isSupposed });
  }

  #evict(podUid: string, atSeconds: number): void {
    this.#goneAtSeconds.set(podUid, atSeconds + VICTIM_EXIT_SECONDS);
    this.#state = withAnswer(this.#state, podUid, "accepted", this.#config, atSeconds);
  }
}

/** Something that begins or ends at a moment of a replay. */
export interface ReplayedChange {
  readonly atSeconds: number;
  /** The threshold's name; undefined for the node's taint. */
  readonly threshold: string | undefined;
  readonly change: "met" | "unmet" | "crossed" | "over" | "tainted" | "untainted";
}

/** Tells what changes from moment to moment. */
export function changesIn(moments: readonly ReplayedMoment[]): ReplayedChange[] {
  return moments.flatMap((moment, index) => {
    const before = moments[index - 1];
    const { atSeconds } = moment;
    const named = [
      ...differences(before?.met ?? [], moment.met, "met", "unmet"),
      ...differences(before?.crossed ?? [], moment.crossed, "crossed", "over"),
    ].map((difference) => ({ atSeconds, ...difference }));
    if (moment.isTainted === (before?.isTainted ?? false)) return named;
    const change = moment.isTainted ? ("tainted" as const) : ("untainted" as const);
    return [...named, { atSeconds, threshold: undefined, change }];
  });
}

function differences<Change extends string>(
  before: readonly string[],
  after: readonly string[],
  come: Change,
  gone: Change,
): { readonly threshold: string; readonly change: Change }[] {
  const isNew = (name: string) => !before.includes(name);
  const isGone = (name: string) => !after.includes(name);
  return [
    ...after.filter(isNew).map((threshold) => ({ threshold, change: come })),
    ...before.filter(isGone).map((threshold) => ({ threshold, change: gone })),
  ];
}
