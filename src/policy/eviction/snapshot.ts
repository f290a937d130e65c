import type { Pod } from "../kubernetes/pod.ts";

/** Share of the time in which tasks were stalled on a resource. */
export interface Stall {
  readonly avg10Percent: number;
  readonly avg60Percent: number;
  readonly avg300Percent: number;
  /** Since the boot of the node, or the creation of the cgroup. */
  readonly totalMicroseconds: number;
}

/** Pressure stall information (kernel Documentation/accounting/psi.rst). */
export interface Pressure {
  /** At least one task was stalled. */
  readonly some: Stall;
  /** All non-idle tasks were stalled; older kernels do not report it for the node's CPU. */
  readonly full: Stall | undefined;
}

/** Memory and swap of a node at one moment; counters start at boot. */
export interface NodeSample {
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  /** Undefined in older recordings. */
  readonly memoryFreeBytes: number | undefined;
  /** Inactive page cache; undefined in older recordings. */
  readonly inactiveFileBytes: number | undefined;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  /** Counter of pages swapped in. */
  readonly swapInPages: number;
  /** Counter of pages swapped out. */
  readonly swapOutPages: number;
  /** Counter of pages scanned by tasks that allocate (pgscan_direct); undefined in older recordings. */
  readonly directScans: number | undefined;
  /** Counter of pages scanned by the kernel's reclaim threads (pgscan_kswapd); undefined in older recordings. */
  readonly kswapdScans: number | undefined;
  /** Undefined on a kernel without pressure stall information. */
  readonly memoryPressure: Pressure | undefined;
}

/** Counters of a cgroup's encounters with memory limits, from the cgroup's creation on. */
export interface MemoryEventCounts {
  /** Reclaim by an allocating task because memory.high was exceeded. */
  readonly high: number;
  /** Allocations that were about to exceed memory.max. */
  readonly max: number;
  /** Allocations that were about to fail at a limit. */
  readonly oom: number;
}

/** Counters of memory.events, the cgroups below included; shared memory that is short does not raise them. */
export interface MemoryEvents extends MemoryEventCounts {
  /** Counters of memory.events.local: the limits of the cgroup alone. */
  readonly local: MemoryEventCounts;
}

/** Memory and swap of a cgroup at one moment; counters start at its creation. */
export interface CgroupSample {
  readonly memoryBytes: number;
  /** Inactive page cache, which the kernel reclaims first. */
  readonly inactiveFileBytes: number;
  readonly anonBytes: number;
  readonly swapBytes: number;
  /** Counter of anonymous pages swapped in (workingset_refault_anon). */
  readonly anonRefaults: number;
  /** Counter of file pages read again soon after their reclaim (workingset_refault_file). */
  readonly fileRefaults: number;
}

/** Sample of the kubepods cgroup: all pods together. */
export interface KubepodsSample extends CgroupSample {
  /** memory.max; Infinity for none. */
  readonly memoryMaxBytes: number;
  /** memory.high; Infinity for none. */
  readonly memoryHighBytes: number;
  readonly memoryPressure: Pressure | undefined;
}

/** Sample of a pod's own cgroup, which also holds memory that is charged to none of its containers. */
export interface PodSample extends CgroupSample {
  readonly podUid: string;
  /** Page cache, shared memory included. */
  readonly fileBytes: number;
  /** Shared memory and tmpfs. */
  readonly shmemBytes: number;
  /** Pages in memory that still have their slot in swap: memoryBytes and swapBytes both count them. */
  readonly swapCachedBytes: number;
  /** Anonymous and shared memory that is not locked and can be swapped out; undefined in older recordings. */
  readonly swappableBytes: number | undefined;
  /** memory.max; Infinity for none, undefined while events shows no encounter with a limit. */
  readonly memoryMaxBytes: number | undefined;
  /** memory.high; Infinity for none, undefined while events shows no encounter with a limit. */
  readonly memoryHighBytes: number | undefined;
  /** Undefined on a kernel without pressure stall information. */
  readonly memoryPressure: Pressure | undefined;
  /** Undefined on a kernel without memory.events.local. */
  readonly events: MemoryEvents | undefined;
}

/** Sample of one container. */
export interface ContainerSample extends CgroupSample {
  readonly id: string;
  readonly podUid: string;
  /** Page cache, shared memory included; undefined in older recordings. */
  readonly fileBytes: number | undefined;
  /** Shared memory and tmpfs; undefined in older recordings. */
  readonly shmemBytes: number | undefined;
  /** Pages in memory that still have their slot in swap; undefined in older recordings. */
  readonly swapCachedBytes: number | undefined;
  /** Anonymous and shared memory that is not locked and can be swapped out; undefined in older recordings. */
  readonly swappableBytes: number | undefined;
  /** Swap limit of the container's own cgroups, Infinity for none; undefined in older recordings. */
  readonly swapLimitBytes: number | undefined;
  /** For recordings only; undefined in older ones, and on a kernel without pressure stall information. */
  readonly memoryPressure: Pressure | undefined;
  /** For recordings only; undefined in older ones, and on a kernel without memory.events.local. */
  readonly events: MemoryEvents | undefined;
}

/** State of a node at one moment, the input of every decision; undefined where a file could not be read. */
export interface Snapshot {
  /** Seconds of a monotonic clock. */
  readonly atSeconds: number;
  /** Page size of the kernel. */
  readonly pageBytes: number;
  readonly node: NodeSample;
  /** Undefined without a kubepods cgroup. */
  readonly kubepods: KubepodsSample | undefined;
  /** Containers whose files could be read; empty while containers are not sampled. */
  readonly containers: readonly ContainerSample[];
  /** Pods whose cgroups could be read; empty while containers are not sampled, and in older recordings. */
  readonly podSamples: readonly PodSample[];
  /** Pods of the kubelet's latest list. */
  readonly pods: readonly Pod[];
}
