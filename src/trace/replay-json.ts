import type { EvictionDecision } from "../policy/eviction/decide.ts";
import { type Candidate, rankingReason } from "../policy/eviction/victim.ts";
import type { RecordingSummary } from "./recording-file.ts";
import { changesIn, type ReplayedPhase } from "./replay.ts";
import type { NamedReplay } from "./replay-report.ts";
import { NAMED_PODS, reasonOf } from "./replay-words.ts";

/** Formats replays of a recording as one JSON document, with or without the observations. */
export function replaysAsJson(
  recording: RecordingSummary,
  replays: readonly NamedReplay[],
  withObservations: boolean,
): string {
  const document = {
    recording,
    replays: replays.map(({ name, evictionMode, thresholds, replay: { moments, phases } }) => ({
      configuration: name,
      evictionMode,
      thresholds,
      decisions: phases.map(phaseOf),
      changes: changesIn(moments),
      observations: withObservations ? moments : undefined,
    })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function phaseOf(phase: ReplayedPhase): object {
  const { decision, basis, ...times } = phase;
  const { observation, relieving } = basis;
  return {
    ...times,
    ...decisionOf(decision),
    why: decision.verdict === "await" ? undefined : reasonOf(phase),
    cause: observation.pressureCause,
    harmedPods: observation.harmedPods,
    relieving: relieving.slice(0, NAMED_PODS).map(({ pod: { uid, namespace, name }, leftOut }) => {
      return { uid, namespace, name, leftOut };
    }),
  };
}

function decisionOf(decision: EvictionDecision): object {
  if (decision.verdict !== "evict") return decision;
  const { victim, ranking, ...rest } = decision;
  return { ...rest, victim: candidateOf(victim), ranking: ranking.map(candidateOf) };
}

function candidateOf(candidate: Candidate): object {
  const { pod, ...figures } = candidate;
  const { uid, namespace, name, priority } = pod;
  return { uid, namespace, name, priority, ...figures, reason: rankingReason(candidate) };
}
