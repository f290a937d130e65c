import type { Pod } from "../../src/policy/kubernetes/pod.ts";
import { type Counters, newCounters, type Region } from "./memory.ts";
import type { SwapAllowance } from "./reclaim.ts";
import { StallMeter } from "./stall-meter.ts";

/** A pod of a simulated node: its Kubernetes object and its workload. */
export interface PodPlan {
  readonly pod: Pod;
  readonly regions: readonly Region[];
  /** Threads that use the memory, each runnable for the fraction `duty` of its time without waiting. */
  readonly threads: number;
  readonly duty: number;
  /** Threads that compute without memory demand. */
  readonly burners: number;
  /** Pages a second by which the first region grows while the pod makes progress. */
  readonly growthPagesPerSecond: number;
  /** Size of the first region at which growth ends. */
  readonly grownPages: number;
  /** memory.max and memory.high of the pod's own container; Infinity for none. */
  readonly maxPages: number;
  readonly highPages: number;
  /** memory.swap.max; Infinity for none. */
  readonly swapPages: number;
  /** terminationGracePeriodSeconds that the pod uses up when it is deleted. */
  readonly leaveSeconds: number;
  /** The API server's answer to its eviction. */
  readonly answer: "accepted" | "evacuating" | "blocked" | "never";
  readonly startsAtSeconds: number;
  /** Changes of the workload: from that time on, every region is used this many times as often. */
  readonly changes: readonly { readonly atSeconds: number; readonly usesFactor: number }[];
}

/** A pod that runs on a simulated node. */
export interface RunningPod {
  readonly plan: PodPlan;
  readonly regions: Region[];
  readonly swap: SwapAllowance;
  /** Counters of its container. */
  readonly counters: Counters;
  /** Counters of its containers that have ended. */
  readonly endedCounters: Counters;
  readonly stall: StallMeter;
  /** Speed of its work as a fraction of full speed. */
  progress: number;
  /** Fraction of its waiting that the node's shortage causes, rather than its own limit. */
  shortageShare: number;
  terminatesAtSeconds: number | undefined;
}

/** Returns a running pod with copies of the plan's regions, which goes on from what its cgroup has counted. */
export function startPod(
  plan: PodPlan,
  { endedCounters, stall }: Pick<RunningPod, "endedCounters" | "stall"> = newPodCounts(),
): RunningPod {
  return {
    plan,
    regions: plan.regions.map((region) => ({ ...region })),
    swap: { pages: plan.swapPages - swapped(plan.regions) },
    counters: newCounters(),
    ...{ endedCounters, stall },
    progress: 1,
    shortageShare: 0,
    terminatesAtSeconds: undefined,
  };
}

function newPodCounts(): Pick<RunningPod, "endedCounters" | "stall"> {
  return { endedCounters: newCounters(), stall: new StallMeter() };
}

/** Returns a copy without shared mutable state. */
export function copyPod(pod: RunningPod): RunningPod {
  return {
    ...pod,
    regions: pod.regions.map((region) => ({ ...region })),
    swap: { ...pod.swap },
    counters: { ...pod.counters },
    stall: pod.stall.copy(),
  };
}

/** Returns the pages of regions in swap. */
export function swapped(regions: readonly Region[]): number {
  let pages = 0;
  for (const { kind, awayPages } of regions) if (kind !== "file") pages += awayPages;
  return pages;
}

/** Returns the pages of regions in memory. */
export function resident(regions: readonly Region[]): number {
  let pages = 0;
  for (const { residentPages } of regions) pages += residentPages;
  return pages;
}

/** Returns the factor on every region's uses at a time. */
export function usesFactorAt({ changes }: PodPlan, atSeconds: number): number {
  return changes.findLast((change) => change.atSeconds <= atSeconds)?.usesFactor ?? 1;
}
