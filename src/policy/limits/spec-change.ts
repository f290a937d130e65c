import type { Unified } from "../memory-qos/files.ts";

/** Files that wasp has set in a running container's spec. */
export interface GivenUnified {
  readonly given: Unified;
  /** Values of these files before wasp. */
  readonly original: Unified;
}

/**
 * Computes the update of a container's spec: each value that differs from the one that wasp has set, and for each file
 * that wasp no longer sets, its value before wasp.
 */
export function unifiedChange({ given, original }: GivenUnified, wanted: Unified): Unified {
  const change: Record<string, string> = {};
  for (const file in given) if (!(file in wanted)) change[file] = original[file] ?? unsetValueOf(file);
  for (const file in wanted) {
    const value = wanted[file];
    if (value !== undefined && given[file] !== value) change[file] = value;
  }
  return change;
}

// The kernel's default for a new cgroup, with one exception. Without swap, a kubelet and its runtime set OCI's older
// field (memory and swap together equal the memory limit): the file is not in the spec, and its value is 0. "max" would
// be more than the container had before wasp.
function unsetValueOf(file: string): string {
  if (file === "memory.swap.max" || file === "memory.low" || file === "memory.min") return "0";
  if (file === "memory.zswap.writeback") return "1";
  return file === "memory.oom.group" ? "0" : "max";
}
