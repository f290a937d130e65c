import type { Unified } from "./files.ts";

/**
 * Fits the memory.high of a class to a container's swap limit, both in bytes: below its memory limit a container has to be
 * able to swap the rest, or it would stall at memory.high for ever. Without swap there is no memory.high.
 */
export function fitHighToSwap(
  ofClass: Unified,
  memoryLimitBytes: number | undefined,
  swapBytes: number,
): Unified {
  const { "memory.high": high, ...others } = ofClass;
  if (high === undefined || memoryLimitBytes === undefined) return ofClass;
  if (swapBytes === 0) return others;
  const leastBytes = memoryLimitBytes - swapBytes;
  return leastBytes > Number(high) ? { ...others, "memory.high": String(leastBytes) } : ofClass;
}
