import type { EvictionDecision } from "../policy/eviction/decide.ts";
import { type Candidate, rankingReason } from "../policy/eviction/victim.ts";
import type { RecordingSummary } from "./recording-file.ts";
import { changesIn, type ReplayedPhase } from "./replay.ts";
import type { NamedReplay } from "./replay-report.ts";

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

function phaseOf({ decision, ...phase }: ReplayedPhase): object {
  return { ...phase, ...decisionOf(decision) };
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
