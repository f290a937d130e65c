import type { EvictionConfig } from "./decide.ts";
import { type EvictionState, HOUR_SECONDS, withEvicted } from "./state.ts";

/** Answer of the API server to an eviction request. */
export type EvictionAnswer =
  /** The pod will terminate. */
  | "accepted"
  /** KubeVirt migrates the virtual machine to another node; the pod terminates after that. */
  | "evacuating"
  /** A disruption budget does not allow the eviction now. */
  | "blocked"
  /** The eviction is refused for good. */
  | "never"
  /** The pod no longer exists, or another one has its name. */
  | "gone"
  /** The request failed; it may be repeated. */
  | "failed"
  /** No request was made: dry run. */
  | "dry-run";

const BLOCKED_SECONDS = 60;
const FAILED_SECONDS = 5;
// A longer delay would keep the node under pressure; the API server itself asks for ten seconds.
const MAX_RETRY_SECONDS = 300;

/** Updates the state with the answer to an eviction request; `retryAfterSeconds` is the delay that the answer asks for. */
export function withAnswer(
  state: EvictionState,
  podUid: string,
  answer: EvictionAnswer,
  config: EvictionConfig,
  nowSeconds: number,
  retryAfterSeconds = 0,
): EvictionState {
  const before: EvictionState = { ...state, unansweredPodUid: undefined };
  const atLeast = (seconds: number) => Math.max(seconds, Math.min(retryAfterSeconds, MAX_RETRY_SECONDS));
  switch (answer) {
    case "blocked":
      return passOver(before, podUid, nowSeconds, atLeast(BLOCKED_SECONDS));
    case "never":
      return passOver(before, podUid, nowSeconds, HOUR_SECONDS);
    case "gone":
      // Another client has deleted it, and relief takes time to show.
      return {
        ...passOver(before, podUid, nowSeconds, HOUR_SECONDS),
        cooldownUntilSeconds: nowSeconds + config.cooldownSeconds,
      };
    case "failed":
      return {
        ...state,
        unansweredPodUid: podUid,
        cooldownUntilSeconds: nowSeconds + atLeast(FAILED_SECONDS),
      };
    case "dry-run":
      return {
        ...evicted(before, podUid, nowSeconds),
        cooldownUntilSeconds: nowSeconds + config.cooldownSeconds,
      };
    default:
      return {
        ...evicted(before, podUid, nowSeconds),
        awaited: { podUid, untilSeconds: nowSeconds + config.victimDeadlineSeconds },
      };
  }
}

function evicted(state: EvictionState, podUid: string, atSeconds: number): EvictionState {
  return { ...state, evicted: withEvicted(state.evicted, podUid, atSeconds) };
}

function passOver(
  state: EvictionState,
  podUid: string,
  nowSeconds: number,
  forSeconds: number,
): EvictionState {
  // A pod that is already passed over is deleted as the last resort; a refusal of that is not repeated each second.
  const isLast = podUid in state.passedOver;
  return {
    ...state,
    cooldownUntilSeconds: isLast ? nowSeconds + BLOCKED_SECONDS : state.cooldownUntilSeconds,
    passedOver: { ...state.passedOver, [podUid]: nowSeconds + forSeconds },
  };
}
