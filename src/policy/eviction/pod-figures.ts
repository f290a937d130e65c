import type { ContainerSample, PodSample, Snapshot } from "./snapshot.ts";
import type { Timed } from "./time-window.ts";
import { workingSetOf } from "./working-set.ts";

/** Memory and swap of a pod at one moment: of its own cgroup, or, in older recordings, of its containers together. */
export interface PodFigures {
  /** Memory that the kernel does not simply drop: without inactive page cache. */
  readonly workingSetBytes: number;
  readonly swapBytes: number;
  /** Pages that are in memory and still have their slot in swap, so that both of the above count them. */
  readonly swapCachedBytes: number;
  /** Counter of anonymous pages swapped in. */
  readonly anonRefaults: number;
  /** Counter of the time in which all of its tasks waited for memory; undefined where that is unknown. */
  readonly stallMicroseconds: number | undefined;
  /** Counter of its reclaims against limits of its own, and of its containers; undefined where that is unknown. */
  readonly ownLimitEvents: number | undefined;
}

/** Figures of the pods at one moment. */
export interface TimedPods extends Timed {
  readonly pods: ReadonlyMap<string, PodFigures>;
}

/** Returns the figures of each pod that was sampled, by its UID. */
export function podFiguresOf({
  containers,
  podSamples,
}: Pick<Snapshot, "containers" | "podSamples">): ReadonlyMap<string, PodFigures> {
  const ofContainers = Map.groupBy(containers, ({ podUid }) => podUid);
  return new Map([
    ...[...ofContainers].map(([uid, samples]) => [uid, sumOfContainers(samples)] as const),
    ...podSamples.map((sample) => [sample.podUid, ofPod(sample)] as const),
  ]);
}

/** Returns the working set and the swap of a pod together, each page once. */
export function usageOf({ workingSetBytes, swapBytes, swapCachedBytes }: PodFigures): number {
  return workingSetBytes + Math.max(0, swapBytes - swapCachedBytes);
}

function ofPod(sample: PodSample): PodFigures {
  return {
    ...basicFiguresOf(sample),
    swapCachedBytes: sample.swapCachedBytes,
    stallMicroseconds: sample.memoryPressure?.full?.totalMicroseconds,
    ownLimitEvents: sample.events && sample.events.high + sample.events.max,
  };
}

function sumOfContainers(samples: readonly ContainerSample[]): PodFigures {
  const sum = (figure: (sample: ContainerSample) => number) =>
    samples.reduce((total, sample) => total + figure(sample), 0);
  return {
    workingSetBytes: sum(workingSetOf),
    swapBytes: sum(({ swapBytes }) => swapBytes),
    swapCachedBytes: sum(({ swapCachedBytes = 0 }) => swapCachedBytes),
    anonRefaults: sum(({ anonRefaults }) => anonRefaults),
    stallMicroseconds: undefined,
    ownLimitEvents: undefined,
  };
}

function basicFiguresOf(sample: ContainerSample | PodSample) {
  const { swapBytes, anonRefaults } = sample;
  return { workingSetBytes: workingSetOf(sample), swapBytes, anonRefaults };
}
