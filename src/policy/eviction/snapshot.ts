import type { Pod } from "../kubernetes/pod.ts";

/** How much of the time tasks were stalled for want of a resource. */
export interface Stall {
  readonly avg10Percent: number;
  readonly avg60Percent: number;
  readonly avg300Percent: number;
  /** Since the start of the node, or of the cgroup. */
  readonly totalMicroseconds: number;
}

/** Pressure stall information (kernel Documentation/accounting/psi.rst). */
export interface Pressure {
  /** Some task was stalled. */
  readonly some: Stall;
  /** All tasks that had something to do were stalled; older kernels do not tell it of the node's CPU. */
  readonly full: Stall | undefined;
}

/** A node's memory and swap at one moment; counters run since its start. */
export interface NodeSample {
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  /** Undefined in older recordings. */
  readonly memoryFreeBytes: number | undefined;
  /** Page cache that nobody has used lately; undefined in older recordings. */
  readonly inactiveFileBytes: number | undefined;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  /** Counter of pages that were brought back from swap. */
  readonly swapInPages: number;
  /** Counter of pages that were swapped out. */
  readonly swapOutPages: number;
  /** Undefined where the kernel keeps no such figures. */
  readonly memoryPressure: Pressure | undefined;
}

/** A cgroup's memory and swap at one moment; counters run since it was made. */
export interface CgroupSample {
  readonly memoryBytes: number;
  /** Page cache that nobody has used lately, which the kernel reclaims first. */
  readonly inactiveFileBytes: number;
  readonly anonBytes: number;
  readonly swapBytes: number;
  /** Counter of anonymous pages that were brought back from swap. */
  readonly anonRefaults: number;
  /** Counter of pages of files that were read again soon after they had been dropped. */
  readonly fileRefaults: number;
}

/** All pods together. */
export interface KubepodsSample extends CgroupSample {
  /** memory.max; Infinity for none. */
  readonly memoryMaxBytes: number;
  /** memory.high; Infinity for none. */
  readonly memoryHighBytes: number;
  readonly memoryPressure: Pressure | undefined;
}

/** One container. */
export interface ContainerSample extends CgroupSample {
  readonly id: string;
  readonly podUid: string;
  /** Anonymous and shared memory that is not locked, which may go to swap; undefined in older recordings. */
  readonly swappableBytes: number | undefined;
  /** The container's own limit, Infinity for none; undefined in older recordings. */
  readonly swapLimitBytes: number | undefined;
}

/** What was seen of a node at one moment, of which decisions are made; what could not be read is undefined. */
export interface Snapshot {
  /** Seconds of a clock that never jumps. */
  readonly atSeconds: number;
  /** How large the kernel's pages are. */
  readonly pageBytes: number;
  readonly node: NodeSample;
  /** Undefined where there are no pods. */
  readonly kubepods: KubepodsSample | undefined;
  /** Every container whose figures could be read. */
  readonly containers: readonly ContainerSample[];
  /** The pods that the kubelet told of last. */
  readonly pods: readonly Pod[];
}
