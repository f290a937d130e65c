import type { EvictionConfig } from "../eviction/decide.ts";
import type { KubepodsSample, NodeSample, Snapshot } from "../eviction/snapshot.ts";
import { type SwapHeadroom, swapHeadroomOf } from "../eviction/swap-headroom.ts";
import { workingSetOf } from "../eviction/working-set.ts";
import { type KubeletThresholds, type PodMemoryHeadroom, podMemoryHeadroomOf } from "./kubelet-thresholds.ts";
import { isCalm, isReliefUnderWay, NO_STALLS, type ReliefState, updateRelief } from "./relief.ts";

/** Modes of keeping swap within the pods' reach: memory.high is managed, or left alone. */
export const SWAP_REACHES = ["Auto", "Off"] as const;

/** Knobs of memory.high of kubepods. */
export interface ReachConfig {
  readonly swapReach: (typeof SWAP_REACHES)[number];
  readonly evictionMode: EvictionConfig["evictionMode"];
  /** Undefined while the kubelet's configuration is unknown. */
  readonly kubelet: KubeletThresholds | undefined;
  /** An eviction is requested, or its victim awaited. */
  readonly isEvicting: boolean;
}

/** Reason for memory.high of kubepods. */
export type ReachReason =
  /** memory.high is below the kubelet's thresholds, so the kernel swaps before the kubelet evicts. */
  | "held"
  | "reach-off"
  /** No pod is evicted, so nothing would relieve pods that memory.high throttles. */
  | "mode-off"
  | "dry-run"
  | "no-swap"
  | "no-kubepods"
  | "kubelet-unknown"
  /** The kubelet has no memory threshold. */
  | "no-threshold"
  /** The kernel has no pressure stall information, so harm by memory.high could not be seen. */
  | "no-pressure-figures"
  /** The kubelet's thresholds, the margin and the usage outside of pods leave almost no memory for pods. */
  | "no-room"
  /** The pods that may swap have no memory left that could be swapped out. */
  | "nothing-to-swap"
  /** The node's swap, whatever the limits of the pods. */
  | "swap-nearly-full"
  /** Pods have been stalled for minutes, and no eviction is under way. */
  | "not-relieved";

/** Decision on memory.high of kubepods. */
export interface ReachDecision {
  /** Infinity for no limit. */
  readonly memoryHighBytes: number;
  readonly reason: ReachReason;
}

/** Decision, with the next state. */
interface ReachStep {
  readonly decision: ReachDecision;
  readonly state: ReachState;
}

/** State between two decisions; times in seconds of a monotonic clock. */
export interface ReachState extends ReliefState {
  /** Limit of the last decision. */
  readonly memoryHighBytes: number;
  /** Undefined without a sample of the containers in the last seconds. */
  readonly pods: SwapHeadroom | undefined;
  /** Time of the last sample of the containers. */
  readonly sampledSeconds: number;
  readonly isNearLimit: boolean;
  /** Fraction of the range by which memory.high is released because swap is nearly full, from 0 to 1. */
  readonly releasedFraction: number;
}

/** State before the first decision. */
export const NO_REACH: ReachState = {
  ...NO_STALLS,
  memoryHighBytes: Number.POSITIVE_INFINITY,
  pods: undefined,
  sampledSeconds: Number.NEGATIVE_INFINITY,
  isNearLimit: false,
  releasedFraction: 0,
};

const MEBIBYTE_BYTES = 2 ** 20;
// The kernel lets a cgroup exceed memory.high for a moment, and the kubelet samples every ten seconds.
const MIN_MARGIN_BYTES = 64 * MEBIBYTE_BYTES;
const MARGIN_FRACTION = 0.03;
// A step is too small to stall pods, and all steps together take no longer than an eviction's grace period.
const STEP_COUNT = 8;
// Used fractions of swap at which the release begins and is complete.
const RELEASE_BEGINS_FRACTION = 0.9;
const RELEASE_ENDS_FRACTION = 0.98;
// Each step up frees some swap: without hysteresis the limit would oscillate, and the kernel makes its writer reclaim.
const RECLAIM_AGAIN_FRACTION = 0.8;
// Fractions of the held limit from which on containers are sampled, and below which no longer.
const NEAR_FRACTION = 0.9;
const FAR_FRACTION = 0.8;
const SAMPLE_INTERVAL_SECONDS = 5;
const SAMPLE_COUNTS_SECONDS = 15;

/**
 * Decides memory.high of kubepods: below the kubelet's eviction point, so that the kernel swaps first, and moved in
 * steps. The limit is released as swap fills, while pods stay stalled, and where it is not known to help: then the
 * kubelet evicts as without wasp.
 */
export function decideMemoryHigh(before: ReachState, snapshot: Snapshot, config: ReachConfig): ReachStep {
  const measured = { ...before, ...withHeadroom(before, snapshot) };
  const sampled = { ...measured, ...updateRelief(measured, snapshot, measured.pods, config.isEvicting) };
  const updated = { ...sampled, releasedFraction: releasedFractionOf(sampled, snapshot) };
  const decide = (memoryHighBytes: number, reason: ReachReason, isNearLimit: boolean): ReachStep => ({
    decision: { memoryHighBytes, reason },
    state: { ...updated, memoryHighBytes, isNearLimit },
  });
  const { node, kubepods } = snapshot;
  const releaseReason = releaseReasonOf(node, kubepods, config);
  if (releaseReason !== undefined || kubepods === undefined || config.kubelet === undefined)
    return decide(Number.POSITIVE_INFINITY, releaseReason ?? "kubelet-unknown", false);
  const headroom = podMemoryHeadroomOf(node, kubepods, config.kubelet);
  const range = headroom && rangeOf(headroom);
  if (range === undefined || range.lowBytes <= 0) return decide(Number.POSITIVE_INFINITY, "no-room", false);
  const nearFraction = before.isNearLimit ? FAR_FRACTION : NEAR_FRACTION;
  const isNearLimit = workingSetOf(kubepods) >= nearFraction * range.lowBytes;
  const { fraction, reason } = releaseOf(updated);
  return decide(stepTowards(range, fraction, before.memoryHighBytes), reason, isNearLimit);
}

/** Returns true if the next snapshot should have samples of the containers. */
export function needsContainers({ isNearLimit, sampledSeconds }: ReachState, nowSeconds: number): boolean {
  return isNearLimit && nowSeconds - sampledSeconds >= SAMPLE_INTERVAL_SECONDS;
}

function releaseReasonOf(
  node: NodeSample,
  kubepods: KubepodsSample | undefined,
  { swapReach, evictionMode, kubelet }: ReachConfig,
): ReachReason | undefined {
  if (swapReach === "Off") return "reach-off";
  if (evictionMode !== "Enforce") return evictionMode === "Off" ? "mode-off" : "dry-run";
  if (kubepods === undefined) return "no-kubepods";
  if (node.swapTotalBytes <= 0) return "no-swap";
  if (kubelet === undefined) return "kubelet-unknown";
  if (kubelet.hard === undefined && kubelet.soft === undefined) return "no-threshold";
  return kubepods.memoryPressure?.full === undefined ? "no-pressure-figures" : undefined;
}

/** Range of memory.high: its target, and the value at which it would limit nothing. */
interface MemoryHighRange {
  readonly lowBytes: number;
  readonly topBytes: number;
}

function rangeOf({ evictedFromBytes, totalBytes }: PodMemoryHeadroom): MemoryHighRange {
  const marginBytes = Math.max(MIN_MARGIN_BYTES, MARGIN_FRACTION * totalBytes);
  return { lowBytes: Math.min(evictedFromBytes, totalBytes) - marginBytes, topBytes: totalBytes };
}

/** Decides the fraction of the range by which memory.high is released, from 0 to 1, with the reason. */
function releaseOf({ pods, isUnrelieved, releasedFraction }: ReachState): {
  readonly fraction: number;
  readonly reason: ReachReason;
} {
  if (isUnrelieved) return { fraction: 1, reason: "not-relieved" };
  if (pods !== undefined && reachableBytes(pods) === 0) return { fraction: 1, reason: "nothing-to-swap" };
  return { fraction: releasedFraction, reason: releasedFraction === 0 ? "held" : "swap-nearly-full" };
}

/**
 * Computes the release for nearly full swap. It never decreases until swap has room again, or stalls have ended; and never
 * increases while an eviction is under way, whose victim frees swap, or would be the kubelet's victim too.
 */
function releasedFractionOf(
  state: ReachState,
  { atSeconds, node: { swapTotalBytes, swapFreeBytes } }: Snapshot,
): number {
  // A pod at its own limit is no reason: while memory.high holds, it is throttled and evicted, not the kubelet's victim.
  const usedFraction = (swapTotalBytes - swapFreeBytes) / Math.max(1, swapTotalBytes);
  const range = RELEASE_ENDS_FRACTION - RELEASE_BEGINS_FRACTION;
  const fraction = Math.min(1, Math.max(0, (usedFraction - RELEASE_BEGINS_FRACTION) / range));
  const { releasedFraction } = state;
  const mayDecrease = usedFraction < RECLAIM_AGAIN_FRACTION || isCalm(state, atSeconds);
  const next = mayDecrease ? fraction : Math.max(fraction, releasedFraction);
  return isReliefUnderWay(state, atSeconds) ? Math.min(next, releasedFraction) : next;
}

function reachableBytes({ swappedBytes, leftBytes }: SwapHeadroom): number {
  return swappedBytes + leftBytes;
}

/** Moves memory.high by at most one step, and not at all if it is within half a step of its target. */
function stepTowards({ lowBytes, topBytes }: MemoryHighRange, fraction: number, beforeBytes: number): number {
  const stepBytes = (topBytes - lowBytes) / STEP_COUNT;
  const fromBytes = Math.max(lowBytes, Math.min(beforeBytes, topBytes));
  const toBytes = lowBytes + fraction * (topBytes - lowBytes);
  const isThere =
    fraction === 1
      ? beforeBytes === Number.POSITIVE_INFINITY
      : Math.abs(toBytes - beforeBytes) < stepBytes / 2;
  if (isThere) return beforeBytes;
  const nextBytes = Math.min(fromBytes + stepBytes, Math.max(fromBytes - stepBytes, toBytes));
  // The kernel rounds down to a page, which is at most 64 KiB.
  return nextBytes >= topBytes
    ? Number.POSITIVE_INFINITY
    : Math.floor(nextBytes / MEBIBYTE_BYTES) * MEBIBYTE_BYTES;
}

/**
 * Updates the pods' room in swap; without samples of the containers, the last one counts for some seconds. Far from
 * memory.high none are taken, and by the time that pods are near it, others may run.
 */
function withHeadroom(
  { pods, sampledSeconds }: ReachState,
  snapshot: Snapshot,
): Pick<ReachState, "pods" | "sampledSeconds"> {
  const { atSeconds } = snapshot;
  const headroom = swapHeadroomOf(snapshot);
  if (headroom !== undefined) return { pods: headroom, sampledSeconds: atSeconds };
  return { pods: atSeconds - sampledSeconds > SAMPLE_COUNTS_SECONDS ? undefined : pods, sampledSeconds };
}
