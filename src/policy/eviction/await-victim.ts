import { isLeaving, neverEvictedReason, type VictimConfig } from "./never-evicted.ts";
import type { Snapshot } from "./snapshot.ts";
import { type EvictionState, HOUR_SECONDS, isPressed, withEvicted } from "./state.ts";
import type { Candidate } from "./victim.ts";

/** Times between evictions. */
export interface EvictionPace {
  /** Time without evictions after a victim is gone, in which relief can show. */
  readonly cooldownSeconds: number;
  /** Time that a victim may take to terminate, or to be migrated. */
  readonly victimDeadlineSeconds: number;
}

type WaitConfig = EvictionPace & VictimConfig;

/**
 * Updates the awaited victim: keeps the current one, adopts a pod that is already leaving, and starts the cooldown once it
 * is gone. `candidates` are all pods, and `relieving` those whose end would relieve the others.
 */
export function updateAwaited(
  state: EvictionState,
  snapshot: Snapshot,
  candidates: readonly Candidate[],
  relieving: readonly Candidate[],
  config: WaitConfig,
): EvictionState {
  const ended = countFailedRequest(endWait(state, snapshot, config), snapshot, config);
  return adoptLeavingPod(ended, snapshot.atSeconds, candidates, relieving, config);
}

/** Ends the wait for a victim that is gone, or that exceeds its deadline and is then passed over. */
function endWait(state: EvictionState, snapshot: Snapshot, config: WaitConfig): EvictionState {
  const { awaited } = state;
  const now = snapshot.atSeconds;
  if (awaited === undefined) return state;
  const isThere = snapshot.pods.some(({ uid }) => uid === awaited.podUid);
  if (isThere && now < awaited.untilSeconds) return state;
  const passedOver = isThere
    ? { ...state.passedOver, [awaited.podUid]: now + HOUR_SECONDS }
    : state.passedOver;
  // What was seen before it went says nothing about now.
  const signalHistory = { ...state.signalHistory, harm: {} };
  const cooldownUntilSeconds = now + config.cooldownSeconds;
  return { ...state, passedOver, signalHistory, awaited: undefined, cooldownUntilSeconds };
}

/** Counts a pod as evicted if it is gone although the request failed, and starts the cooldown. */
function countFailedRequest(state: EvictionState, snapshot: Snapshot, config: WaitConfig): EvictionState {
  const { unansweredPodUid: podUid } = state;
  const { atSeconds } = snapshot;
  if (podUid === undefined || snapshot.pods.some(({ uid }) => uid === podUid)) return state;
  return {
    ...state,
    unansweredPodUid: undefined,
    evicted: withEvicted(state.evicted, podUid, atSeconds),
    cooldownUntilSeconds: atSeconds + config.cooldownSeconds,
  };
}

/** Awaits a pod that is already leaving, if the agent evicted it or if its end would relieve the others. */
function adoptLeavingPod(
  state: EvictionState,
  nowSeconds: number,
  candidates: readonly Candidate[],
  relieving: readonly Candidate[],
  config: WaitConfig,
): EvictionState {
  if (state.awaited !== undefined || !isPressed(state)) return state;
  const own = new Set([state.unansweredPodUid, ...state.evicted.map(({ podUid }) => podUid)]);
  const leaving = candidates.find(
    (candidate) =>
      (own.has(candidate.pod.uid) || relieving.includes(candidate)) &&
      !(candidate.pod.uid in state.passedOver) &&
      isLeaving(neverEvictedReason(candidate.pod, candidate, config)),
  );
  if (leaving === undefined) return state;
  const untilSeconds = nowSeconds + config.victimDeadlineSeconds;
  return { ...state, awaited: { podUid: leaving.pod.uid, untilSeconds } };
}
