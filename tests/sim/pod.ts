import type { Pod } from "../../src/policy/kubernetes/pod.ts";
import { type Counters, newCounters, type Region } from "./memory.ts";
import type { SwapAllowance } from "./reclaim.ts";

/** A pod of a simulated node: what Kubernetes knows of it, and what it does. */
export interface PodPlan {
  readonly pod: Pod;
  readonly regions: readonly Region[];
  /** Threads that use the memory, each runnable for `duty` of the time in which it does not wait. */
  readonly threads: number;
  readonly duty: number;
  /** Threads that only compute. */
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
  /** When its work changes, as in bursts: from then on every region is used this many times as often. */
  readonly changes: readonly { readonly atSeconds: number; readonly usesFactor: number }[];
}

/** A pod that runs on a simulated node. */
export interface RunningPod {
  readonly plan: PodPlan;
  readonly regions: Region[];
  readonly swap: SwapAllowance;
  readonly counters: Counters;
  /** The part of full speed at which it works. */
  progress: number;
  /** The part of its waiting that is for memory of which the node, and not its own limit, is short. */
  shortageShare: number;
  terminatesAtSeconds: number | undefined;
}

/** Starts a pod, whose regions are copied. */
export function startPod(plan: PodPlan): RunningPod {
  return {
    plan,
    regions: plan.regions.map((region) => ({ ...region })),
    swap: { pages: plan.swapPages - swapped(plan.regions) },
    counters: newCounters(),
    progress: 1,
    shortageShare: 0,
    terminatesAtSeconds: undefined,
  };
}

/** Returns a copy that shares nothing that changes. */
export function copyPod(pod: RunningPod): RunningPod {
  return {
    ...pod,
    regions: pod.regions.map((region) => ({ ...region })),
    swap: { ...pod.swap },
    counters: { ...pod.counters },
  };
}

/** Pages of regions that are in swap. */
export function swapped(regions: readonly Region[]): number {
  let pages = 0;
  for (const { kind, awayPages } of regions) if (kind !== "file") pages += awayPages;
  return pages;
}

/** Pages of regions that are in memory. */
export function resident(regions: readonly Region[]): number {
  let pages = 0;
  for (const { residentPages } of regions) pages += residentPages;
  return pages;
}

/** The factor by which a pod's work differs from its plan at a moment. */
export function usesFactorAt({ changes }: PodPlan, atSeconds: number): number {
  return changes.findLast((change) => change.atSeconds <= atSeconds)?.usesFactor ?? 1;
}
