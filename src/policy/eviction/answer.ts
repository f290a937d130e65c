import type { EvictionConfig } from "./decide.ts";
import { type EvictionState, HOUR_SECONDS, withEvicted } from "./state.ts";

/** How the API server answered the request to evict a pod. */
export type EvictionAnswer =
  /** The pod is about to go. */
  | "accepted"
  /** KubeVirt moves the virtual machine to another node, after which the pod goes. */
  | "evacuating"
  /** A disruption budget does not allow it now. */
  | "blocked"
  /** It will not be allowed, however often one asks. */
  | "never"
  /** There is no such pod any more, or another one has its name. */
  | "gone"
  /** The request failed; it may be made again. */
  | "failed"
  /** It was not made, because only decisions are asked for. */
  | "dry-run";

const BLOCKED_SECONDS = 60;
const FAILED_SECONDS = 5;
// Whoever asks for more would keep the node under pressure; the API server's own words are of ten seconds.
const MAX_RETRY_SECONDS = 300;

/**
 * What to remember once a request to evict a pod was answered; `retryAfterSeconds` is how long whoever answered wants to be
 * left alone.
 */
export function answered(
  state: EvictionState,
  podUid: string,
  answer: EvictionAnswer,
  config: EvictionConfig,
  nowSeconds: number,
  retryAfterSeconds = 0,
): EvictionState {
  const before = { ...state, tried: undefined };
  const atLeast = (seconds: number) => Math.max(seconds, Math.min(retryAfterSeconds, MAX_RETRY_SECONDS));
  switch (answer) {
    case "blocked":
      return passOver(before, podUid, nowSeconds, atLeast(BLOCKED_SECONDS));
    case "never":
      return passOver(before, podUid, nowSeconds, HOUR_SECONDS);
    case "gone":
      // Somebody else was faster, and relief takes time to show.
      return {
        ...passOver(before, podUid, nowSeconds, HOUR_SECONDS),
        cooldownUntilSeconds: nowSeconds + config.cooldownSeconds,
      };
    case "failed":
      return { ...state, tried: podUid, cooldownUntilSeconds: nowSeconds + atLeast(FAILED_SECONDS) };
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
  // Who was passed over already is deleted as the last resort; refused that, it is not asked for each second.
  const isLast = podUid in state.passedOver;
  return {
    ...state,
    cooldownUntilSeconds: isLast ? nowSeconds + BLOCKED_SECONDS : state.cooldownUntilSeconds,
    passedOver: { ...state.passedOver, [podUid]: nowSeconds + forSeconds },
  };
}
