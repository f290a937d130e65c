import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { SwapSize } from "../engine/options.ts";

const BYTES_PER_MEBIBYTE = 1024 ** 2;

/** Smallest size of swap that is set up. */
export const MIN_SWAP_BYTES = BYTES_PER_MEBIBYTE;

/** Refusal of swap without a size. */
export const SIZE_REQUIRED = "the size of the swap is missing: pass --overcommit 150% or --swap-size 8Gi";

/** Size of swap in bytes, and its derivation. */
export interface Sizing {
  readonly bytes: number;
  /** A sentence without its full stop. */
  readonly arithmetic: string;
}

/**
 * Computes the size of swap on a node: the requested bytes, or NODE_SWAP_SPACE = NODE_RAM * (percent / 100 - 1) in whole
 * mebibytes, as the script does at each boot.
 */
export function sizingOf(size: SwapSize, memoryTotalBytes: number): Sizing {
  if (size.kind === "bytes")
    return { bytes: size.bytes, arithmetic: `${formatRounded(size.bytes)} of swap, as requested` };
  const bytes =
    Math.floor((memoryTotalBytes * (size.percent - 100)) / 100 / BYTES_PER_MEBIBYTE) * BYTES_PER_MEBIBYTE;
  const memory = formatRounded(memoryTotalBytes);
  return {
    bytes,
    arithmetic: `${memory} of memory * (${size.percent}% / 100% - 1) = ${formatRounded(bytes)} of swap`,
  };
}

/**
 * Returns true if swap of this size is as requested. A percentage of memory may differ by a sixteenth, as MemTotal varies
 * between kernels; a fixed size only by the page that the kernel reserves.
 */
export function isRequestedSize(bytes: number, size: SwapSize, memoryTotalBytes: number): boolean {
  const requestedBytes = sizingOf(size, memoryTotalBytes).bytes;
  const toleranceBytes =
    size.kind === "overcommit" ? Math.max(requestedBytes / 16, BYTES_PER_MEBIBYTE) : LARGEST_PAGE_BYTES;
  return Math.abs(bytes - requestedBytes) <= toleranceBytes;
}

const LARGEST_PAGE_BYTES = 64 * 1024;

/** Returns the percentage of a node's memory that pods may use in all with swap of this size, rounded down. */
export function overcommitPercent(swapBytes: number, memoryTotalBytes: number): number {
  return Math.floor((1 + swapBytes / memoryTotalBytes) * 100);
}
