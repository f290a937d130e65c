import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { SwapSize } from "../engine/options.ts";

const BYTES_PER_MEBIBYTE = 1024 ** 2;

/** Why swap cannot be made where no size was chosen. */
export const SIZE_MISSING = "how large is the swap to be? say --overcommit 150% or --swap-size 8Gi";

/** How large swap is to be, and how that comes about. */
export interface Sizing {
  readonly bytes: number;
  /** A sentence without its full stop. */
  readonly arithmetic: string;
}

/**
 * Works out how large swap is to be on a node with so much memory: what was asked for, or
 * NODE_SWAP_SPACE = NODE_RAM * (percent / 100 - 1), in whole mebibytes, as the script does it at each start.
 */
export function sizing(size: SwapSize, memoryTotalBytes: number): Sizing {
  if (size.kind === "bytes")
    return { bytes: size.bytes, arithmetic: `${formatRounded(size.bytes)} of swap, as asked for` };
  const bytes =
    Math.floor((memoryTotalBytes * (size.percent - 100)) / 100 / BYTES_PER_MEBIBYTE) * BYTES_PER_MEBIBYTE;
  const memory = formatRounded(memoryTotalBytes);
  return {
    bytes,
    arithmetic: `${memory} of memory * (${size.percent}% / 100% - 1) = ${formatRounded(bytes)} of swap`,
  };
}

/**
 * Whether swap of this size is what was asked for. MemTotal differs a little from one kernel to the next, so that what
 * is a share of it may be off by a sixteenth; a fixed size only by the page that the kernel keeps for itself.
 */
export function isSizeAsAsked(bytes: number, size: SwapSize, memoryTotalBytes: number): boolean {
  const asked = sizing(size, memoryTotalBytes).bytes;
  const slack = size.kind === "overcommit" ? Math.max(asked / 16, BYTES_PER_MEBIBYTE) : LARGEST_PAGE_BYTES;
  return Math.abs(bytes - asked) <= slack;
}

const LARGEST_PAGE_BYTES = 64 * 1024;

/** How much of its memory a node's pods may use in all, as a whole percentage, with so much swap. */
export function overcommitPercent(swapBytes: number, memoryTotalBytes: number): number {
  return Math.floor((1 + swapBytes / memoryTotalBytes) * 100);
}
