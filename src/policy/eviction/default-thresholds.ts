import type { Threshold } from "./threshold.ts";

const STALLED = 0.1;
const GRACE_SECONDS = 10;
const SETTLING = 0.1;
const PATIENCE_SECONDS = 60;
const MIN_CLEAR_SECONDS = 60;
const USED_UP_SWAP = 0.95;
const LITTLE_MEMORY = 0.05;

/**
 * What calls for an eviction where nobody says otherwise: everybody waits for memory, and swap is why. While memory settles,
 * in swap as long as there is room or back from it, that is about to end by itself, and is given a minute. A kernel without
 * pressure stall information cannot tell a stall; there, swap and memory that are both at their end have to do.
 */
export const DEFAULT_THRESHOLDS: readonly Threshold[] = [
  {
    name: "swap-stall",
    allOf: [{ signal: "memoryPressure", operator: ">=", value: STALLED }],
    unless: { signal: "swapSettling", operator: ">=", value: SETTLING },
    graceSeconds: GRACE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    isHard: false,
  },
  {
    name: "swap-stall-lasting",
    allOf: [{ signal: "memoryPressure", operator: ">=", value: STALLED }],
    graceSeconds: PATIENCE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    // By then evictions have had their chance to relieve.
    isHard: true,
  },
  {
    name: "swap-and-memory-used-up",
    allOf: [
      { signal: "swapUtilization", operator: ">=", value: USED_UP_SWAP },
      { signal: "memoryAvailable", operator: "<=", value: LITTLE_MEMORY },
    ],
    graceSeconds: GRACE_SECONDS,
    minClearSeconds: MIN_CLEAR_SECONDS,
    isHard: true,
    onlyWithout: "memoryPressure",
  },
];

/** The limits that wasp-agent, the older tool of that name, is given by its environment. */
export interface WaspAgentLimits {
  /** How much of the swap may be overcommitted. */
  readonly utilizationFactor: number;
  readonly swapInPagesPerSecond: number;
  readonly swapOutPagesPerSecond: number;
}

/** What wasp-agent's own manifests set its limits to. */
export const WASP_AGENT_LIMITS: WaspAgentLimits = {
  utilizationFactor: 0.8,
  swapInPagesPerSecond: 1000,
  swapOutPagesPerSecond: 1000,
};

/** wasp-agent's policy as it is documented, in which pages are pages (its docs/configuration.md). */
export function waspAgentThresholds(limits: WaspAgentLimits): readonly Threshold[] {
  const atOnce = { graceSeconds: 0, minClearSeconds: 0, isHard: false };
  return [
    {
      name: "swap-traffic",
      allOf: [
        { signal: "swapInPagesPerSecond", operator: ">", value: limits.swapInPagesPerSecond },
        { signal: "swapOutPagesPerSecond", operator: ">", value: limits.swapOutPagesPerSecond },
      ],
      ...atOnce,
    },
    {
      name: "swap-utilization",
      allOf: [{ signal: "swapOvercommit", operator: ">", value: limits.utilizationFactor }],
      ...atOnce,
    },
  ];
}
