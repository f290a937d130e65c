import type { Fields, LogEvent } from "../../log/events.ts";
import {
  type EvictionConfig,
  type EvictionDecision,
  type EvictionStep,
  isSameDecision,
} from "../../policy/eviction/decide.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import { isMet } from "../../policy/eviction/threshold.ts";
import { briefOf } from "./words.ts";

/** Inputs and state of a decision. */
export interface DecisionBasis extends Omit<EvictionStep, "decision"> {
  readonly snapshot: Snapshot;
  readonly config: EvictionConfig;
}

/** Logs each change of the reason for which no pod is evicted; evictions are logged by who carries them out. */
export class DecisionLog {
  readonly #log: LogEvent;
  #before: EvictionDecision = NOT_PRESSED;
  /** Names of the awaited victim, for the log line of its end. */
  #victim: Fields = {};

  constructor(log: LogEvent) {
    this.#log = log;
  }

  /** Takes the next decision. */
  take(decision: EvictionDecision, basis: DecisionBasis): void {
    const before = this.#before;
    if (isSameDecision(decision, before)) return;
    this.#before = decision;
    if (before.verdict === "await") this.#logEndOfWait(before.podUid, basis.snapshot);
    if (decision.verdict === "await") this.#logWait(decision, basis);
    if (decision.verdict === "hold") this.#logHold(decision.reason, basis);
  }

  /** Forgets the last decision, because none is made any more. */
  reset(): void {
    this.#before = NOT_PRESSED;
  }

  #logEndOfWait(podUid: string, { pods }: Snapshot): void {
    const isThere = pods.some(({ uid }) => uid === podUid);
    this.#log(isThere ? "victim-overdue" : "victim-gone", this.#victim);
  }

  #logWait(
    { podUid, untilSeconds }: EvictionDecision & { readonly verdict: "await" },
    { snapshot, observation }: DecisionBasis,
  ): void {
    const pod = snapshot.pods.find(({ uid }) => uid === podUid);
    const atMostSeconds = Math.round(untilSeconds - snapshot.atSeconds);
    this.#victim = { namespace: pod?.namespace, pod: pod?.name, podUid };
    this.#log("victim-awaited", { ...this.#victim, atMostSeconds, ...briefOf(observation) });
  }

  #logHold(reason: string, { snapshot, observation, state, config }: DecisionBasis): void {
    const met = config.evictionThresholds.filter((threshold) => isMet(threshold, observation));
    const leftSeconds = Math.round(state.cooldownUntilSeconds - snapshot.atSeconds);
    this.#log("eviction-held", {
      reason,
      leftSeconds: reason === "cooldown" ? leftSeconds : undefined,
      thresholds: met.length === 0 ? undefined : met.map(({ name }) => name).join(", "),
      ...briefOf(observation),
    });
  }
}

const NOT_PRESSED: EvictionDecision = { verdict: "hold", reason: "not-pressed" };
