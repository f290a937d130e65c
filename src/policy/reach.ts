import type { ContainerSample, KubepodsSample, Snapshot } from "./snapshot.ts";

/** Whether memory.high of kubepods is kept where the kernel swaps before the kubelet evicts. */
export const SWAP_REACHES = ["Auto", "Off"] as const;

/** Why memory.high is what it is. */
export type ReachReason =
  /** Below where the kubelet evicts: the kernel swaps first. */
  | "held"
  | "mode-off"
  | "no-pods"
  | "no-swap"
  /** The kubelet does not tell when it evicts. */
  | "thresholds-unknown"
  /** What could be swapped would not bring the pods below it: others would be held up for nothing. */
  | "nothing-to-swap"
  /** Let go, step by step: soon the kernel can swap no more, and nobody else may act as long as it is held. */
  | "swap-near-its-end"
  /** Let go, step by step: pods have been stalled for long, whatever was done. */
  | "not-relieved";

/** The limit at which the kernel holds pods up and reclaims their memory: bytes, Infinity for none. */
export interface Reach {
  readonly highBytes: number;
  readonly reason: ReachReason;
}

/** The knobs and facts of reach. */
export interface ReachConfig {
  readonly swapReach: (typeof SWAP_REACHES)[number];
  /** Decisions are carried out. */
  readonly isEnforced: boolean;
  /**
   * The largest of the kubelet's thresholds of memory.available, soft or hard, in bytes; undefined where it is not known.
   */
  readonly evictionThresholdBytes: number | undefined;
}

/** What has to be remembered; seconds of a clock that never jumps. */
export interface ReachState {
  readonly isHeld: boolean;
  /** Since when pods have been stalled; undefined while they are not. */
  readonly stalledSinceSeconds: number | undefined;
}

/** Nothing is held yet. */
export const NO_REACH: ReachState = { isHeld: false, stalledSinceSeconds: undefined };

const MI = 2 ** 20;
// Between a tenth of a second's allocations and what would be missed: B13's 98 MiB of 2898 is in between.
const MARGIN = 0.03;
const MIN_MARGIN_BYTES = 64 * MI;
const NEAR_END = 0.9;
const STEPS = 4;
const DEADLINE_SECONDS = 120;
const STEP_SECONDS = 10;
