import type { Threshold } from "./threshold.ts";

const STALLED_FRACTION = 0.1;
const GRACE_SECONDS = 10;
const SETTLED_FRACTION = 0.1;
const LASTING_GRACE_SECONDS = 60;
const MIN_CLEAR_SECONDS = 60;
const SWAP_USED_UP_FRACTION = 0.95;
const MEMORY_USED_UP_FRACTION = 0.05;

/**
 * Default eviction thresholds: all pods are stalled on memory, and swap is the cause. Swapping that settles (pages move
 * one way and stay) ends by itself, so it is given a minute. A kernel without pressure stall information reports no
 * stall: there, the fallback is swap and memory that are both used up.
 */
export const DEFAULT_THRESHOLDS: readonly Threshold[] = [
  {
    name: "swap-stall",
    allOf: [{ signal: "memoryPressure", operator: ">=", value: STALLED_FRACTION }],
    unless: { signal: "swapSettling", operator: ">=", value: SETTLED_FRACTION },
    graceSeconds: GRACE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    isHard: false,
  },
  {
    name: "swap-stall-lasting",
    allOf: [{ signal: "memoryPressure", operator: ">=", value: STALLED_FRACTION }],
    graceSeconds: LASTING_GRACE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    // Evictions by the threshold above have had the time to relieve the node.
    isHard: true,
  },
  {
    name: "swap-and-memory-used-up",
    allOf: [
      { signal: "swapUtilization", operator: ">=", value: SWAP_USED_UP_FRACTION },
      { signal: "memoryAvailable", operator: "<=", value: MEMORY_USED_UP_FRACTION },
    ],
    graceSeconds: GRACE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    isHard: true,
    onlyWithout: "memoryPressure",
  },
];

/** Limits that wasp-agent, the Go program of that name, reads from its environment. */
export interface WaspAgentLimits {
  /** Fraction of the swap that may be overcommitted. */
  readonly utilizationFactor: number;
  readonly swapInPagesPerSecond: number;
  readonly swapOutPagesPerSecond: number;
}

/** Limits in wasp-agent's own manifests. */
export const WASP_AGENT_LIMITS: WaspAgentLimits = {
  utilizationFactor: 0.8,
  swapInPagesPerSecond: 1000,
  swapOutPagesPerSecond: 1000,
};

/** Returns wasp-agent's policy as documented, with rates in pages (its docs/configuration.md). */
export function waspAgentThresholds(limits: WaspAgentLimits): readonly Threshold[] {
  const immediate = { graceSeconds: 0, minClearSeconds: 0, isHard: false };
  return [
    {
      name: "swap-traffic",
      allOf: [
        { signal: "swapInPagesPerSecond", operator: ">", value: limits.swapInPagesPerSecond },
        { signal: "swapOutPagesPerSecond", operator: ">", value: limits.swapOutPagesPerSecond },
      ],
      ...immediate,
    },
    {
      name: "swap-utilization",
      allOf: [{ signal: "swapOvercommit", operator: ">", value: limits.utilizationFactor }],
      ...immediate,
    },
  ];
}
