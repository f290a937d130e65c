import type { Threshold } from "./threshold.ts";

const GRACE_SECONDS = 10;
const MIN_CLEAR_SECONDS = 60;
const SWAP_USED_UP_FRACTION = 0.95;
const MEMORY_USED_UP_FRACTION = 0.05;
const MOVING_PAGES_PER_SECOND = 50;

/**
 * Default eviction thresholds: a pod is harmed, and swap is a cause. A kernel without pressure stall information knows of
 * no harm: there, the fallback is swap and memory that are both used up, while pages are read back all the time.
 */
export const DEFAULT_THRESHOLDS: readonly Threshold[] = [
  {
    name: "swap-harm",
    allOf: [{ signal: "harm", operator: ">=", value: 1 }],
    // The signal has its own.
    graceSeconds: 0,
    minClearSeconds: MIN_CLEAR_SECONDS,
    isHard: true,
  },
  {
    name: "swap-and-memory-used-up",
    allOf: [
      { signal: "swapUtilization", operator: ">=", value: SWAP_USED_UP_FRACTION },
      { signal: "memoryAvailable", operator: "<=", value: MEMORY_USED_UP_FRACTION },
      { signal: "refaultsPerSecond", operator: ">=", value: MOVING_PAGES_PER_SECOND },
    ],
    graceSeconds: GRACE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    isHard: true,
    onlyWithout: "harm",
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
