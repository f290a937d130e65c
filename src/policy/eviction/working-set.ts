import type { CgroupSample } from "./snapshot.ts";

/**
 * Returns the working set of a cgroup in bytes, as the kubelet computes it: usage less inactive page cache (cadvisor
 * container/libcontainer/handler.go:839-862).
 */
export function workingSetOf({
  memoryBytes,
  inactiveFileBytes,
}: Pick<CgroupSample, "memoryBytes" | "inactiveFileBytes">): number {
  return Math.max(0, memoryBytes - inactiveFileBytes);
}
