import type { EvictionConfig } from "../eviction/decide.ts";
import type { KubepodsSample, NodeSample, Snapshot } from "../eviction/snapshot.ts";
import { type SwapRoom, swapRoomOf } from "../eviction/swap-headroom.ts";
import { type KubeletThresholds, type PodsRoom, roomOfPods, workingSetOf } from "./kubelet-thresholds.ts";

/** Whether swap is kept within the pods' reach. */
export const SWAP_REACHES = ["Auto", "Off"] as const;

/** What memory.high of kubepods is decided by. */
export interface ReachConfig {
  readonly swapReach: (typeof SWAP_REACHES)[number];
  readonly evictionMode: EvictionConfig["evictionMode"];
  /** Undefined where the kubelet does not tell. */
  readonly kubelet: KubeletThresholds | undefined;
}

/** Why memory.high of kubepods is what it is. */
export type ReachReason =
  /** It is below the kubelet's thresholds, so that the kernel swaps before the kubelet evicts. */
  | "held"
  | "reach-off"
  /** Nobody is evicted, so that nobody else would relieve the pods of it. */
  | "mode-off"
  | "dry-run"
  | "no-swap"
  | "no-kubepods"
  | "kubelet-unknown"
  /** The kubelet evicts nobody for memory. */
  | "no-threshold"
  /** The kernel does not tell of stalled pods, so that it could not be seen to do harm. */
  | "no-pressure-figures"
  /** What the kubelet, the margin and everything but pods take leaves next to nothing for pods. */
  | "no-room"
  /** The pods that may swap have nothing that could still be swapped out. */
  | "nothing-to-swap"
  | "swap-nearly-full"
  /** Pods have been stalled for minutes, and nothing has relieved them. */
  | "not-relieved";

/** What memory.high of kubepods is to be. */
export interface ReachDecision {
  /** Infinity for none. */
  readonly memoryHighBytes: number;
  readonly reason: ReachReason;
}

/** What has to be remembered between two decisions; seconds of a clock that never jumps. */
export interface ReachState {
  /** What was decided last. */
  readonly memoryHighBytes: number;
  /** Undefined before containers were looked at. */
  readonly pods: SwapRoom | undefined;
  /** When containers were looked at, and whether it is time to again. */
  readonly lookedSeconds: number;
  readonly isNear: boolean;
  readonly stalledSinceSeconds: number | undefined;
  readonly calmSinceSeconds: number | undefined;
  readonly isUnrelieved: boolean;
  /** By how much it is let go because swap is nearly full, from 0 to 1. */
  readonly letGoPart: number;
}

/** Nothing was decided yet. */
export const NO_REACH: ReachState = {
  memoryHighBytes: Number.POSITIVE_INFINITY,
  pods: undefined,
  lookedSeconds: Number.NEGATIVE_INFINITY,
  isNear: false,
  stalledSinceSeconds: undefined,
  calmSinceSeconds: undefined,
  isUnrelieved: false,
  letGoPart: 0,
};

const MI = 2 ** 20;
// The kernel lets a cgroup exceed memory.high for a moment, and the kubelet looks every ten seconds.
const MARGIN_BYTES = 64 * MI;
const MARGIN = 0.03;
// No step is so large that pods feel it, and all of them together take no longer than an eviction's grace period.
const STEPS = 8;
// Let go by as much as swap is used beyond the one, and of all at the other.
const NEARLY_FULL = 0.9;
const FULL = 0.98;
// Each step up frees some swap: taken back at once, it would go to and fro, and the kernel has its writer reclaim for it.
const TAKEN_BACK = 0.8;
const STALLED_PERCENT = 10;
const CALM_PERCENT = 5;
const RELIEF_SECONDS = 120;
const CALM_SECONDS = 60;
const NEAR = 0.9;
const LOOK_SECONDS = 5;

/**
 * Decides on memory.high of kubepods: below the point from which on the kubelet evicts, so that the kernel swaps first,
 * and moved there and back in steps. It is let go as swap nears its end, when pods stay stalled, and wherever it is not
 * known to help: then the kubelet evicts as without wasp.
 */
export function reach(
  before: ReachState,
  snapshot: Snapshot,
  config: ReachConfig,
): { readonly decision: ReachDecision; readonly state: ReachState } {
  const noticed = { ...before, ...relief(before, snapshot), ...looked(before, snapshot) };
  const sensed = { ...noticed, letGoPart: nearlyFullPart(noticed, snapshot) };
  const decide = (memoryHighBytes: number, reason: ReachReason, isNear: boolean) => ({
    decision: { memoryHighBytes, reason },
    state: { ...sensed, memoryHighBytes, isNear },
  });
  const { node, kubepods } = snapshot;
  const against = whyNot(node, kubepods, config);
  if (against !== undefined || kubepods === undefined || config.kubelet === undefined)
    return decide(Number.POSITIVE_INFINITY, against ?? "kubelet-unknown", false);
  const room = roomOfPods(node, kubepods, config.kubelet);
  const span = room && spanOf(room);
  if (span === undefined || span.lowBytes <= 0) return decide(Number.POSITIVE_INFINITY, "no-room", false);
  const isNear = workingSetOf(kubepods) >= NEAR * span.lowBytes;
  const { part, reason } = letGo(sensed);
  return decide(stepTowards(span, part, before.memoryHighBytes), reason, isNear);
}

/** Whether the next snapshot should have each container's figures. */
export function needsContainers({ isNear, lookedSeconds }: ReachState, nowSeconds: number): boolean {
  return isNear && nowSeconds - lookedSeconds >= LOOK_SECONDS;
}

function whyNot(
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

/** Between what memory.high moves: where it holds, and from where on it would hold nothing. */
interface Span {
  readonly lowBytes: number;
  readonly topBytes: number;
}

function spanOf({ evictedFromBytes, totalBytes }: PodsRoom): Span {
  const marginBytes = Math.max(MARGIN_BYTES, MARGIN * totalBytes);
  return { lowBytes: Math.min(evictedFromBytes, totalBytes) - marginBytes, topBytes: totalBytes };
}

/** By how much memory.high is let go, from 0 to 1, and why. */
function letGo({ pods, isUnrelieved, letGoPart }: ReachState): {
  readonly part: number;
  readonly reason: ReachReason;
} {
  if (isUnrelieved) return { part: 1, reason: "not-relieved" };
  if (pods !== undefined && reachableBytes(pods) === 0) return { part: 1, reason: "nothing-to-swap" };
  return { part: letGoPart, reason: letGoPart === 0 ? "held" : "swap-nearly-full" };
}

/** By how much memory.high is let go as swap nears its end: never less again before there is room, or peace. */
function nearlyFullPart(
  { pods, letGoPart, calmSinceSeconds }: ReachState,
  { atSeconds, node: { swapTotalBytes, swapFreeBytes } }: Snapshot,
): number {
  // Swap that no pod may use, or has anything to put into, is out of reach as well.
  const ofPods = pods === undefined ? 0 : pods.swappedBytes / Math.max(1, reachableBytes(pods));
  const used = Math.max(ofPods, (swapTotalBytes - swapFreeBytes) / Math.max(1, swapTotalBytes));
  const part = Math.min(1, Math.max(0, (used - NEARLY_FULL) / (FULL - NEARLY_FULL)));
  const isCalm = calmSinceSeconds !== undefined && atSeconds - calmSinceSeconds >= CALM_SECONDS;
  return used < TAKEN_BACK || isCalm ? part : Math.max(part, letGoPart);
}

function reachableBytes({ swappedBytes, leftBytes }: SwapRoom): number {
  return swappedBytes + leftBytes;
}

/** Moves memory.high by one step at most; what is not far from where it should be stays. */
function stepTowards({ lowBytes, topBytes }: Span, part: number, beforeBytes: number): number {
  const stepBytes = (topBytes - lowBytes) / STEPS;
  const fromBytes = Math.max(lowBytes, Math.min(beforeBytes, topBytes));
  const toBytes = lowBytes + part * (topBytes - lowBytes);
  const isThere =
    part === 1 ? beforeBytes === Number.POSITIVE_INFINITY : Math.abs(toBytes - beforeBytes) < stepBytes / 2;
  if (isThere) return beforeBytes;
  const nextBytes = Math.min(fromBytes + stepBytes, Math.max(fromBytes - stepBytes, toBytes));
  // The kernel rounds down to a page, which is of 64 KiB at most.
  return nextBytes >= topBytes ? Number.POSITIVE_INFINITY : Math.floor(nextBytes / MI) * MI;
}

/** For how long pods have been stalled, and whether that is too long. */
function relief(
  { stalledSinceSeconds, calmSinceSeconds, isUnrelieved }: ReachState,
  { atSeconds, kubepods }: Snapshot,
): Pick<ReachState, "stalledSinceSeconds" | "calmSinceSeconds" | "isUnrelieved"> {
  const stalledPercent = kubepods?.memoryPressure?.full?.avg10Percent ?? 0;
  if (stalledPercent >= STALLED_PERCENT) {
    const since = stalledSinceSeconds ?? atSeconds;
    return {
      stalledSinceSeconds: since,
      calmSinceSeconds: undefined,
      isUnrelieved: isUnrelieved || atSeconds - since >= RELIEF_SECONDS,
    };
  }
  if (stalledPercent >= CALM_PERCENT)
    return { stalledSinceSeconds, calmSinceSeconds: undefined, isUnrelieved };
  const calm = calmSinceSeconds ?? atSeconds;
  return {
    stalledSinceSeconds: undefined,
    calmSinceSeconds: calm,
    isUnrelieved: isUnrelieved && atSeconds - calm < CALM_SECONDS,
  };
}

/** What room pods have in swap; as it was before where containers were not looked at. */
function looked(
  { pods, lookedSeconds }: ReachState,
  { atSeconds, containers, node }: Snapshot,
): Pick<ReachState, "pods" | "lookedSeconds"> {
  const room = swapRoomOf(containers, node);
  return room === undefined ? { pods, lookedSeconds } : { pods: room, lookedSeconds: atSeconds };
}
