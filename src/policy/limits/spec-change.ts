import type { Unified } from "../memory-qos/files.ts";

/** What wasp has written into a running container's spec. */
export interface GivenUnified {
  readonly given: Unified;
  /** What the spec said of the container before wasp. */
  readonly original: Unified;
}

/**
 * What has to be written so that a container has what it is to have now, and nothing more of wasp's: what differs from
 * what it was given, and for each file that wasp no longer sets, what stood there without wasp.
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

// The kernel's own value of a new cgroup, with one exception. What a kubelet and its runtime say of swap where nobody
// asks for any, they say in OCI's older words (memory and swap together are the memory limit), so that the file is not
// in the spec and its value is 0. An unlimited one would be more than the container had before wasp.
function unsetValueOf(file: string): string {
  if (file === "memory.swap.max" || file === "memory.low" || file === "memory.min") return "0";
  if (file === "memory.zswap.writeback") return "1";
  return file === "memory.oom.group" ? "0" : "max";
}
