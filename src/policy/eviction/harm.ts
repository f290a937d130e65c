import { ONE_WAY_FRACTION } from "./swap-flow.ts";

/** Reason for which a stall does not count as harm that an eviction could end. */
export type HarmExcuse =
  /** Memory is not short any more: pods read back what was swapped out. */
  | "recovering"
  /** The pods that wait reclaim against limits of their own. */
  | "self-inflicted"
  /** Swap has no part in it: files are read again and again. */
  | "not-swap"
  /** Memory that nobody uses makes room, once. */
  | "settling"
  /** The pods that wait do so for memory that they take. */
  | "growing";

/** Stall of a pod, or of all pods together, at one moment. */
export interface HarmInput {
  /** Stalled fraction of the last second or seconds, the larger one; undefined where it is unknown. */
  readonly stall: number | undefined;
  /** Stalled fraction of the last seconds. */
  readonly meanStall: number | undefined;
  readonly excuse: HarmExcuse | undefined;
  /** Part of what is swapped out that comes back; see returnedShareOf. */
  readonly returnedShare: number;
}

/** Accumulated harm, in seconds, by pod UID; `ALL_PODS` where pods have no stall of their own. */
export type HarmState = Readonly<Record<string, number>>;

/** Key of the stall of all pods together. */
export const ALL_PODS = "";

/** Stalled fraction of all pods together from which a second counts. */
export const STALLED_FRACTION = 0.1;
// A pod's own stall is not diluted by others that run. At a fifth, its work takes a fourth longer.
const OWN_STALLED_FRACTION = 0.2;

const HARMED_SECONDS = 14.95;
// A longer memory of harm would outlive the harm itself.
const MAX_SECONDS = 1.2 * HARMED_SECONDS;
// A dip of seconds in an oscillating stall does not undo what was seen before it.
const FORGIVEN_PER_SECOND = 0.25;
const ENDED_PER_SECOND = 3;
// Swapping that settles may take three minutes: a virtual machine that arrives, many pods that start.
const SETTLING_PER_SECOND = HARMED_SECONDS / 180;
// Next to nothing runs any more, and what is swapped out comes back: that is clear sooner.
const SEVERE_FRACTION = 0.7;
const DEAD_FRACTION = 0.8;
const DEAD_PER_SECOND = 1.5;
// The more of what goes out comes back, the clearer.
const THRASHING_PER_SECOND = 1.2;

/** Returns the harm so far: 1 and more is harm that calls for an eviction. */
export function harmOf(state: HarmState): number {
  return Math.max(0, ...Object.values(state)) / HARMED_SECONDS;
}

/** Returns the keys of those that are harmed. */
export function harmedOf(state: HarmState): readonly string[] {
  return Object.keys(state).filter((key) => (state[key] ?? 0) >= HARMED_SECONDS);
}

/** Updates the harm of each input after so many seconds; who has no input any more is forgotten. */
export function updateHarm(
  before: HarmState,
  inputs: ReadonlyMap<string, HarmInput>,
  seconds: number,
): HarmState {
  const updated = [...inputs].map(([key, input]) => {
    // Before pods are sampled, only the stall of all together is known.
    const harm =
      (before[key] ?? before[ALL_PODS] ?? 0) +
      perSecond(input, key === ALL_PODS ? STALLED_FRACTION : OWN_STALLED_FRACTION) * seconds;
    return [key, Math.max(0, Math.min(MAX_SECONDS, harm))] as const;
  });
  return Object.fromEntries(updated.filter(([, harm]) => harm > 0));
}

function perSecond(
  { stall, meanStall = 0, excuse, returnedShare }: HarmInput,
  stalledFraction: number,
): number {
  if (excuse !== undefined && excuse !== "settling" && excuse !== "growing") return -ENDED_PER_SECOND;
  if (stall === undefined || stall < stalledFraction || excuse === "growing") return -FORGIVEN_PER_SECOND;
  if (excuse === "settling") return SETTLING_PER_SECOND;
  if (returnedShare <= ONE_WAY_FRACTION) return 1;
  const severity = Math.min(
    1,
    Math.max(0, (meanStall - SEVERE_FRACTION) / (DEAD_FRACTION - SEVERE_FRACTION)),
  );
  return 1 + returnedShare * (THRASHING_PER_SECOND - 1) + severity * (DEAD_PER_SECOND - 1);
}
