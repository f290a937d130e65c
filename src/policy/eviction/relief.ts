import { isMemoryAmple, sharedMemoryBytes } from "./shortage.ts";
import type { PressureCause } from "./signals.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Candidate } from "./victim.ts";

// Less than this neither ends a shortage nor is worth a pod.
const MIN_USE_FRACTION = 0.03;
const MIN_SHARE = 0.15;
const MIN_EXCESS_FRACTION = 0.1;
// Who would bring far less than another is not the cause, whatever the ranking says of it.
const COMPARABLE_FRACTION = 0.4;

/**
 * Returns the candidates whose end would relieve the others: those with a substantial part of what moves, or of what
 * exceeds requests. If some of them exceed their requests, only those count. Where memory is short and one exceeds them
 * substantially, those with far less excess do not: what they move, the other displaced. Of the rest, those with far less
 * movement do not.
 */
export function relievingOf(
  candidates: readonly Candidate[],
  snapshot: Snapshot,
  cause: PressureCause | undefined,
): readonly Candidate[] {
  const sharedBytes = sharedMemoryBytes(snapshot);
  // Memory is what is missing, unless swap is full too.
  const heldBytesOf = ({ usageBytes = 0, workingSetBytes = 0 }: Candidate) =>
    cause === "swap-exhausted" ? usageBytes : workingSetBytes;
  // Swap is missing where its pages come back: cold memory in swap misses nothing.
  const excessBytesOf = (candidate: Candidate) =>
    (candidate.movingShare >= MIN_SHARE ? (candidate.usageBytes ?? 0) : heldBytesOf(candidate)) -
    candidate.requestBytes;
  const isSubstantial = (candidate: Candidate) =>
    heldBytesOf(candidate) >= MIN_USE_FRACTION * sharedBytes &&
    (candidate.movingShare >= MIN_SHARE || excessBytesOf(candidate) >= MIN_EXCESS_FRACTION * sharedBytes);
  const substantial = candidates.filter(isSubstantial);
  const exceeding = substantial.filter(({ isOverRequest }) => isOverRequest);
  const relieving = exceeding.length > 0 ? exceeding : substantial;
  const isShortByExcess =
    !isMemoryAmple(snapshot) &&
    relieving.some((candidate) => excessBytesOf(candidate) >= MIN_EXCESS_FRACTION * sharedBytes);
  return comparable(
    isShortByExcess ? comparable(relieving, excessBytesOf) : relieving,
    ({ movingShare }) => movingShare,
  );
}

/** Returns the candidates that are not far weaker than the strongest. */
function comparable(
  candidates: readonly Candidate[],
  strengthOf: (candidate: Candidate) => number,
): readonly Candidate[] {
  const strongest = Math.max(0, ...candidates.map(strengthOf));
  return candidates.filter((candidate) => strengthOf(candidate) >= COMPARABLE_FRACTION * strongest);
}
