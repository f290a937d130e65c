import { withAnswer } from "../policy/eviction/answer.ts";
import {
  decideEviction,
  type EvictionConfig,
  type EvictionDecision,
  type EvictionStep,
  isSameDecision,
} from "../policy/eviction/decide.ts";
import { type NeverEvictedReason, neverEvictedReason } from "../policy/eviction/never-evicted.ts";
import type { Observation } from "../policy/eviction/signals.ts";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import { type EvictionState, isPressed, NO_EVICTIONS } from "../policy/eviction/state.ts";
import { isMet } from "../policy/eviction/threshold.ts";
import { type Candidate, rankCandidates } from "../policy/eviction/victim.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";

/** Time that an evicted pod is assumed to take to terminate: a pod's grace period, if its spec has none. */
export const VICTIM_EXIT_SECONDS = 30;

/** Observation and decision at one moment of a recording. */
export interface ReplayedMoment {
  readonly atSeconds: number;
  readonly observation: Observation;
  /** Names of the thresholds whose conditions are met. */
  readonly met: readonly string[];
  /** Names of the crossed thresholds. */
  readonly crossed: readonly string[];
  readonly isTainted: boolean;
}

/** Time in which the decision stays the same. */
export interface ReplayedPhase {
  readonly fromSeconds: number;
  /** Start of the next phase, or end of the recording. */
  readonly toSeconds: number;
  readonly decision: EvictionDecision;
  readonly basis: PhaseBasis;
  /**
   * True after an eviction that did not happen in the recording: the victim stayed, so the decision is the one that
   * would follow if its eviction had relieved nothing.
   */
  readonly isSupposed: boolean;
}

/** Figures at the beginning of a phase, which explain its decision. */
export interface PhaseBasis {
  readonly observation: Observation;
  /** Number of pods on the node. */
  readonly pods: number;
  readonly evictedLastHour: number;
  /** Rest of the cooldown; 0 outside of one. */
  readonly cooldownSeconds: number;
  /** Pods whose end would relieve the others, the first victim first; empty without pressure. */
  readonly relieving: readonly RelievingPod[];
}

/** Pod whose end would relieve the others. */
export interface RelievingPod {
  readonly pod: Pod;
  /** Reason for which it is not evicted, `passed-over` if it did not leave; undefined if it may be. */
  readonly leftOut: NeverEvictedReason | "passed-over" | undefined;
}

/**
 * Repeats the agent's decisions on a recording, snapshot by snapshot. It assumes that every request is accepted and
 * that the pod is gone a grace period later, and ignores what the recording has of it from then on.
 */
export class Replay {
  readonly moments: ReplayedMoment[] = [];
  readonly phases: ReplayedPhase[] = [];
  readonly #config: EvictionConfig;
  readonly #goneAtSeconds = new Map<string, number>();
  #state: EvictionState = NO_EVICTIONS;

  /** The mode is ignored: decisions are those of Enforce. */
  constructor(config: EvictionConfig) {
    this.#config = { ...config, evictionMode: "Enforce" };
  }

  /** Takes the next snapshot. */
  take(recorded: Snapshot): void {
    const snapshot = this.#withoutGone(recorded);
    const step = decideEviction(this.#state, snapshot, this.#config);
    const { decision, observation, state } = step;
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
    this.#note(step, snapshot);
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
      podSamples: snapshot.podSamples.filter(({ podUid }) => isThere(podUid)),
    };
  }

  #note(step: EvictionStep, snapshot: Snapshot): void {
    const { decision } = step;
    const { atSeconds } = snapshot;
    const last = this.phases.pop();
    if (last !== undefined) this.phases.push({ ...last, toSeconds: atSeconds });
    if (last !== undefined && isSameDecision(last.decision, decision)) return;
    const isSupposed = this.#goneAtSeconds.size > 0;
    const basis = this.#basisOf(step, snapshot);
    this.phases.push({ fromSeconds: atSeconds, toSeconds: atSeconds, decision, basis, isSupposed });
  }

  #basisOf({ observation, state, relieving }: EvictionStep, snapshot: Snapshot): PhaseBasis {
    const { evicted, cooldownUntilSeconds } = state;
    return {
      observation,
      pods: snapshot.pods.length,
      evictedLastHour: evicted.length,
      cooldownSeconds: Math.max(0, cooldownUntilSeconds - snapshot.atSeconds),
      relieving: this.#described(relieving),
    };
  }

  #described(relieving: readonly Candidate[]): readonly RelievingPod[] {
    const { passedOver } = this.#state;
    return rankCandidates(relieving).map((candidate) => {
      const { pod } = candidate;
      const isPassedOver = pod.uid in passedOver;
      const leftOut =
        neverEvictedReason(pod, candidate, this.#config) ?? (isPassedOver ? "passed-over" : undefined);
      return { pod, leftOut };
    });
  }

  #evict(podUid: string, atSeconds: number): void {
    this.#goneAtSeconds.set(podUid, atSeconds + VICTIM_EXIT_SECONDS);
    this.#state = withAnswer(this.#state, podUid, "accepted", this.#config, atSeconds);
  }
}

/** Start or end of a state in a replay. */
export interface ReplayedChange {
  readonly atSeconds: number;
  /** Name of the threshold; undefined for the node's taint. */
  readonly threshold: string | undefined;
  readonly change: "met" | "unmet" | "crossed" | "over" | "tainted" | "untainted";
}

/** Returns the changes between consecutive moments. */
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
