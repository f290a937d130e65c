import type { ContainerSample, MemoryEventCounts, PodSample } from "../../src/policy/eviction/snapshot.ts";
import { addedCounters, type Counters, isSwapped, newCounters, type Region, sumOf } from "./memory.ts";
import { type RunningPod, resident, swapped } from "./pod.ts";

/** Page size of simulated nodes. */
export const PAGE_BYTES = 4096;

/** Returns the sample of a pod's only container. */
export function containerSampleOf(pod: RunningPod, hasPressure: boolean): ContainerSample {
  const { plan, regions, swap, counters, stall } = pod;
  const met = countsOf(counters);
  return {
    id: plan.pod.containers[0]?.id ?? plan.pod.uid,
    podUid: plan.pod.uid,
    ...memoryOf(regions),
    anonRefaults: Math.round(counters.anonRefaultPages),
    fileRefaults: Math.round(counters.fileRefaultPages),
    swapLimitBytes: Number.isFinite(swap.pages) ? plan.swapPages * PAGE_BYTES : Number.POSITIVE_INFINITY,
    memoryPressure: hasPressure ? stall.pressure : undefined,
    events: { ...met, local: met },
  };
}

/** Returns the sample of a pod's own cgroup, whose counters outlive a container. */
export function podSampleOf(pod: RunningPod, hasPressure: boolean): PodSample {
  const { plan, regions, stall } = pod;
  const counters = addedCounters(pod.endedCounters, pod.counters);
  const hasMetLimit = counters.highEvents + counters.maxEvents + counters.oomEvents > 0;
  return {
    podUid: plan.pod.uid,
    ...memoryOf(regions),
    anonRefaults: Math.round(counters.anonRefaultPages),
    fileRefaults: Math.round(counters.fileRefaultPages),
    // The kubelet gives a pod the sum of its containers' memory.max, and no memory.high.
    memoryMaxBytes: hasMetLimit ? plan.maxPages * PAGE_BYTES : undefined,
    memoryHighBytes: hasMetLimit ? Number.POSITIVE_INFINITY : undefined,
    memoryPressure: hasPressure ? stall.pressure : undefined,
    // The kernel charges a container before its pod, so that it is the container's limit that is met.
    events: { ...countsOf(counters), local: countsOf(newCounters()) },
  };
}

function countsOf({ highEvents, maxEvents, oomEvents }: Counters): MemoryEventCounts {
  return { high: highEvents, max: maxEvents, oom: oomEvents };
}

function memoryOf(regions: readonly Region[]) {
  const residentOf = (kinds: readonly Region["kind"][]) =>
    bytes(sumOf(regions, ({ kind, residentPages }) => (kinds.includes(kind) ? residentPages : 0)));
  return {
    memoryBytes: bytes(resident(regions)),
    inactiveFileBytes: bytes(sumOf(regions, inactivePages)),
    anonBytes: residentOf(["anonymous"]),
    fileBytes: residentOf(["file", "shared"]),
    shmemBytes: residentOf(["shared"]),
    swappableBytes: bytes(sumOf(regions, (region) => (isSwapped(region) ? region.residentPages : 0))),
    swapBytes: bytes(swapped(regions)),
    // Pages that come back give up their slot.
    swapCachedBytes: 0,
  };
}

/** Returns the pages of a region on the list of inactive files: those used less than once a minute leave the active one. */
export function inactivePages({ kind, residentPages, usesPerSecond }: Region): number {
  if (kind !== "file") return 0;
  return usesPerSecond < 1 / 60 ? residentPages : residentPages * 0.1;
}

function bytes(pages: number): number {
  return Math.round(pages) * PAGE_BYTES;
}
