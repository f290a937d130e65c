import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { ZramPlace } from "./facts.ts";
import type { Judgement, SizeAsked } from "./place.ts";
import { overcommitPercent } from "./size.ts";

/** How well memory compresses as a rule. */
const USUAL_COMPRESSION = 3;

/** Judges swap to compressed memory. */
export function judgeZram({ isPossible }: ZramPlace, { asked, memory }: SizeAsked): Judgement {
  const refusals =
    isPossible === false
      ? ["the kernel has no zram: install its module, or choose a swap file or a device"]
      : [];
  if (asked === undefined || memory === undefined) return { isOwn: true, refusals, notes: [] };
  const mostBytes = 2 * memory.totalBytes;
  // Beyond that it could not be filled: memory seldom compresses better, says the kernel's documentation.
  const tooLarge =
    asked.bytes > mostBytes
      ? [
          `${formatRounded(asked.bytes)} of zram is more than twice the memory, ${formatRounded(mostBytes)}, which it is kept in: choose a smaller size`,
        ]
      : [];
  return {
    isOwn: true,
    refusals: [...refusals, ...tooLarge],
    notes: [costNote(asked.bytes, memory.totalBytes)],
  };
}

function costNote(bytes: number, memoryTotalBytes: number): string {
  const usualBytes = bytes / USUAL_COMPRESSION;
  const ratio = `${USUAL_COMPRESSION}:1`;
  const percent = overcommitPercent(bytes - usualBytes, memoryTotalBytes);
  return `zram keeps in memory what is swapped out: full, it takes about ${formatRounded(usualBytes)} of it if that compresses ${ratio}, so that pods may use ${percent}% of memory, and ${formatRounded(bytes)}, which gains nothing, if it does not compress at all`;
}
