import type { Fields, Tell } from "../../log/events.ts";
import { type EvictionConfig, type EvictionDecision, isSameDecision } from "../../policy/eviction/decide.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import type { EvictionState } from "../../policy/eviction/state.ts";
import { isMet } from "../../policy/eviction/threshold.ts";
import { briefOf } from "./words.ts";

/** What a decision was made on. */
export interface Grounds {
  readonly snapshot: Snapshot;
  readonly observation: Observation;
  readonly state: EvictionState;
  readonly config: EvictionConfig;
}

/** Tells in the log, decision by decision, why nobody is evicted, when that is another reason than before. */
export class EvictionChanges {
  readonly #tell: Tell;
  #before: EvictionDecision = NOTHING;
  /** The names of the victim that is waited for, to be told once it is gone. */
  #victim: Fields = {};

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Takes the next decision; an eviction is told of by whoever carries it out. */
  take(decision: EvictionDecision, grounds: Grounds): void {
    const before = this.#before;
    if (isSameDecision(decision, before)) return;
    this.#before = decision;
    if (before.verdict === "await") this.#tellEnd(before.podUid, grounds.snapshot);
    if (decision.verdict === "await") this.#tellWait(decision, grounds);
    if (decision.verdict === "hold") this.#tellHold(decision.reason, grounds);
  }

  /** Forgets what was before: nothing is decided any more. */
  reset(): void {
    this.#before = NOTHING;
  }

  #tellEnd(podUid: string, { pods }: Snapshot): void {
    const isThere = pods.some(({ uid }) => uid === podUid);
    this.#tell(isThere ? "victim-overdue" : "victim-gone", this.#victim);
  }

  #tellWait(
    { podUid, untilSeconds }: EvictionDecision & { readonly verdict: "await" },
    { snapshot, observation }: Grounds,
  ): void {
    const pod = snapshot.pods.find(({ uid }) => uid === podUid);
    const atMostSeconds = Math.round(untilSeconds - snapshot.atSeconds);
    this.#victim = { namespace: pod?.namespace, pod: pod?.name, podUid };
    this.#tell("victim-awaited", { ...this.#victim, atMostSeconds, ...briefOf(observation) });
  }

  #tellHold(reason: string, { snapshot, observation, state, config }: Grounds): void {
    const met = config.evictionThresholds.filter((threshold) => isMet(threshold, observation));
    const leftSeconds = Math.round(state.cooldownUntilSeconds - snapshot.atSeconds);
    this.#tell("eviction-held", {
      reason,
      leftSeconds: reason === "cooldown" ? leftSeconds : undefined,
      thresholds: met.length === 0 ? undefined : met.map(({ name }) => name).join(", "),
      ...briefOf(observation),
    });
  }
}

const NOTHING: EvictionDecision = { verdict: "hold", reason: "not-pressed" };
