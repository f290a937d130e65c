import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import { applicable } from "../engine/applicable.ts";
import type { ZramPlace } from "./facts.ts";
import type { PlaceAssessment, RequestedSize } from "./place.ts";
import { overcommitPercent } from "./size.ts";

/** Usual ratio of the original size of memory to its compressed size. */
const USUAL_COMPRESSION_RATIO = 3;

/** Assesses swap in compressed memory. */
export function assessZram({ isPossible }: ZramPlace, { sizing, memory }: RequestedSize): PlaceAssessment {
  const impossible =
    isPossible === false && "the kernel has no zram: install its module, or choose a swap file or a device";
  if (sizing === undefined || memory === undefined)
    return { isOwn: true, refusals: applicable(impossible), notes: [] };
  const maxBytes = 2 * memory.totalBytes;
  return {
    isOwn: true,
    refusals: applicable(
      impossible,
      // More could not be filled: memory rarely compresses better than 2:1 (Documentation/admin-guide/blockdev/zram.rst).
      sizing.bytes > maxBytes &&
        `${formatRounded(sizing.bytes)} of zram is more than twice the memory, ${formatRounded(maxBytes)}: choose a smaller size`,
    ),
    notes: [costNote(sizing.bytes, memory.totalBytes)],
  };
}

function costNote(bytes: number, memoryTotalBytes: number): string {
  const usualBytes = bytes / USUAL_COMPRESSION_RATIO;
  const ratio = `${USUAL_COMPRESSION_RATIO}:1`;
  const percent = overcommitPercent(bytes - usualBytes, memoryTotalBytes);
  return `zram keeps swapped-out memory in memory, compressed: at a ratio of ${ratio} it takes about ${formatRounded(usualBytes)} when full, so that pods may use ${percent}% of memory; without any compression it takes ${formatRounded(bytes)} and gains nothing`;
}
