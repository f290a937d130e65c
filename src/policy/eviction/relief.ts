import { sharedMemoryBytes } from "./shortage.ts";
import type { PressureCause } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Candidate } from "./victim.ts";

// Less than this neither ends a shortage nor is worth a pod.
const MIN_USE_FRACTION = 0.03;
const MIN_SHARE = 0.15;
const MIN_EXCESS_FRACTION = 0.1;
// A pod whose end would bring far less than another's is not the cause, whatever the ranking says of it.
const COMPARABLE_FRACTION = 0.4;

/**
 * Returns the candidates whose end would relieve the others: those with a substantial part of what moves, or of what
 * exceeds requests. If some of them exceed their requests, only those count. A pod that would bring far less than the
 * strongest one does not.
 */
export function relievingOf(
  candidates: readonly Candidate[],
  snapshot: Snapshot,
  cause: PressureCause | undefined,
): readonly Candidate[] {
  const sharedBytes = sharedMemoryBytes(snapshot);
  const strengthOf = (candidate: Candidate) =>
    Math.max(candidate.movingShare, excessBytesOf(candidate) / sharedBytes);
  const isSubstantial = (candidate: Candidate) =>
    // Memory is what is missing, unless swap is full too.
    ((cause === "swap-exhausted" ? candidate.usageBytes : candidate.workingSetBytes) ?? 0) >=
      MIN_USE_FRACTION * sharedBytes &&
    (candidate.movingShare >= MIN_SHARE || excessBytesOf(candidate) >= MIN_EXCESS_FRACTION * sharedBytes);
  const substantial = candidates.filter(isSubstantial);
  const exceeding = substantial.filter(({ isOverRequest }) => isOverRequest);
  const relieving = exceeding.length > 0 ? exceeding : substantial;
  const strongest = Math.max(0, ...relieving.map(strengthOf));
  return relieving.filter((candidate) => strengthOf(candidate) >= COMPARABLE_FRACTION * strongest);
}

function excessBytesOf({ usageBytes, requestBytes }: Candidate): number {
  return usageBytes === undefined ? 0 : usageBytes - requestBytes;
}
