import type { EvictionDecision } from "../policy/eviction/decide.ts";
import { rankingReason } from "../policy/eviction/victim.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import type { ReplayedPhase } from "./replay.ts";

/** Returns the names of the pods that a replay evicts, by UID, as in `shop/db-0`. */
export function victimsOf(phases: readonly ReplayedPhase[]): ReadonlyMap<string, string> {
  return new Map(
    phases.flatMap(({ decision }) =>
      decision.verdict === "evict"
        ? [[decision.victim.pod.uid, podNameOf(decision.victim.pod)] as const]
        : [],
    ),
  );
}

/** Describes a decision in two or three words: its verdict, and the reason or the pod. */
export function summaryOf(decision: EvictionDecision, victims: ReadonlyMap<string, string>): string {
  if (decision.verdict === "hold") return `hold ${decision.reason}`;
  if (decision.verdict === "await") return `await ${victims.get(decision.podUid) ?? decision.podUid}`;
  return `${decision.method} ${podNameOf(decision.victim.pod)}`;
}

/**
 * Describes the reason of an eviction: the crossed thresholds, and the values that rank its victim; empty for other
 * decisions.
 */
export function evictionReasonOf(decision: EvictionDecision): string {
  if (decision.verdict !== "evict") return "";
  return `${decision.thresholds.join(", ")}: ${rankingReason(decision.victim)}`;
}

function podNameOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}
