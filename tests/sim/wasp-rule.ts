import { withAnswer } from "../../src/policy/eviction/answer.ts";
import { decideEviction, type EvictionConfig } from "../../src/policy/eviction/decide.ts";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { type EvictionState, NO_EVICTIONS } from "../../src/policy/eviction/state.ts";
import type { Threshold } from "../../src/policy/eviction/threshold.ts";
import type { RunningPod } from "./pod.ts";
import type { ClosedLoopRule } from "./rule.ts";

/** The agent's rule, with the given thresholds and its defaults otherwise. */
export class WaspRule implements ClosedLoopRule {
  readonly #config: EvictionConfig;
  #state: EvictionState = NO_EVICTIONS;
  #nowSeconds = 0;

  constructor(evictionThresholds: readonly Threshold[]) {
    this.#config = {
      ...{ evictionMode: "Enforce", evictionThresholds, trafficWindowSeconds: 30, cooldownSeconds: 60 },
      ...{ victimDeadlineSeconds: 300, maxEvictionsPerHour: 6, lastResort: "None" },
      ...{ excludeNamespaces: ["kube-system", "openshift*"], ownPodUid: undefined },
      ...{ evictionOptOut: "WithinRequests", evictionOptOutNamespaces: ["*"] },
    };
  }

  decide(snapshot: Snapshot): string | undefined {
    const { decision, state } = decideEviction(this.#state, snapshot, this.#config);
    this.#state = state;
    this.#nowSeconds = snapshot.atSeconds;
    return decision.verdict === "evict" ? decision.victim.pod.uid : undefined;
  }

  answer(uid: string, answer: RunningPod["plan"]["answer"]): void {
    this.#state = withAnswer(this.#state, uid, answer, this.#config, this.#nowSeconds);
  }
}
