import type { HarmExcuse } from "./harm.ts";

/** Signals that a threshold can name. Ratios are fractions: 1 is all of it. */
export const SIGNALS = [
  "swapUtilization",
  "swapInPagesPerSecond",
  "swapOutPagesPerSecond",
  /** Anonymous and file pages of the pods that came back soon after their reclaim. */
  "refaultsPerSecond",
  /** Share of the swapping that ends by itself (settlingShareOf); undefined while containers are not sampled. */
  "swapSettling",
  "memoryOvercommit",
  "swapOvercommit",
  "requestOvercommit",
  "memoryAvailable",
  "memoryAvailableBytes",
  "memoryPressure",
  /** Lasting stall of the most harmed pod, for which swap is a cause; 1 calls for an eviction. Undefined without PSI. */
  "harm",
] as const;

/** Name of a signal. */
export type Signal = (typeof SIGNALS)[number];

/** Unit of a signal's values. */
export type SignalUnit = "fraction" | "pages a second" | "bytes";

/** Returns the unit of a signal. */
export function unitOf(signal: Signal): SignalUnit {
  if (signal.endsWith("PerSecond")) return "pages a second";
  return signal.endsWith("Bytes") ? "bytes" : "fraction";
}

/** Reason for which a stall is attributed to swap. */
export type PressureCause =
  /** Pages come back from swap continuously. */
  | "swap-in"
  /** Pages come back soon after they were swapped out. */
  | "anonymous-refault"
  /** Pages go out to a device that cannot keep up, and next to none come back. */
  | "swap-out"
  /** Swap is exhausted, so nothing moves any more, and all tasks wait. */
  | "swap-exhausted";

/** Values of all signals at one moment; undefined where a signal is unknown. */
export interface Observation extends Readonly<Record<Signal, number | undefined>> {
  /** Cause of memoryPressure; undefined while the stall is not attributed to swap. */
  readonly pressureCause: PressureCause | undefined;
  /** The stall itself, whatever its cause: the fraction of the window in which all of the pods' tasks waited. */
  readonly stall: number | undefined;
  /** Fraction of the window in which any of the pods' tasks waited for memory. */
  readonly anyStall: number | undefined;
  /** UIDs of the pods that are harmed; empty where pods have no stall of their own. */
  readonly harmedPods: readonly string[];
  /** Reason for which the present stall does not count as harm; undefined without a stall. */
  readonly excuse: HarmExcuse | undefined;
}
