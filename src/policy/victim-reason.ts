import type { Candidate } from "./eviction/victim.ts";
import { formatRounded } from "./kubernetes/quantity.ts";

/** Tells in words what ranks a candidate where it stands, in the order in which that counts. */
export function rankingReason(candidate: Candidate): string {
  const { pod, usageBytes, requestBytes, isOverLimit, overLimitBytes, movingShare } = candidate;
  if (usageBytes === undefined) return "no figures";
  const excessBytes = usageBytes - requestBytes;
  const parts = [
    isOverLimit ? `over its memory limit by ${formatRounded(overLimitBytes)}` : undefined,
    `${excessBytes > 0 ? "over" : "under"} its requests by ${formatRounded(Math.abs(excessBytes))}`,
    `priority ${pod.priority ?? 0}`,
    movingShare > 0 ? `${Math.round(movingShare * 100)} % of what comes back from swap` : undefined,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
