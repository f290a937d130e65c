import type { Snapshot } from "./snapshot.ts";
import { type EvictionState, HOUR_SECONDS, isPressed, withEvicted } from "./state.ts";
import { rankGoing, type VictimConfig } from "./victim.ts";

/** How much time is given: relief takes time to show, and so does a victim to go. */
export interface EvictionPace {
  /** How long after a victim is gone nobody else is evicted. */
  readonly cooldownSeconds: number;
  /** How long a victim may take to go, or to be moved. */
  readonly victimDeadlineSeconds: number;
}

type WaitConfig = EvictionPace & VictimConfig;

/** Who is waited for from now on: whoever was until now or goes already; somebody who is gone is followed by a cooldown. */
export function waiting(state: EvictionState, snapshot: Snapshot, config: WaitConfig): EvictionState {
  const waited = afterTrying(afterWaiting(state, snapshot, config), snapshot, config);
  return withGoing(waited, snapshot, config);
}

/** Ends the wait for a victim that is gone, or that has taken too long: the next one then is somebody else. */
function afterWaiting(state: EvictionState, snapshot: Snapshot, config: WaitConfig): EvictionState {
  const { awaited } = state;
  const now = snapshot.atSeconds;
  if (awaited === undefined) return state;
  const isThere = snapshot.pods.some(({ uid }) => uid === awaited.podUid);
  if (isThere && now < awaited.untilSeconds) return state;
  const passedOver = isThere
    ? { ...state.passedOver, [awaited.podUid]: now + HOUR_SECONDS }
    : state.passedOver;
  return { ...state, passedOver, awaited: undefined, cooldownUntilSeconds: now + config.cooldownSeconds };
}

/** Takes a pod that is gone, and that a request failed for, for evicted: relief takes time to show. */
function afterTrying(state: EvictionState, snapshot: Snapshot, config: WaitConfig): EvictionState {
  const { tried: podUid } = state;
  const { atSeconds } = snapshot;
  if (podUid === undefined || snapshot.pods.some(({ uid }) => uid === podUid)) return state;
  return {
    ...state,
    tried: undefined,
    evicted: withEvicted(state.evicted, podUid, atSeconds),
    cooldownUntilSeconds: atSeconds + config.cooldownSeconds,
  };
}

/** Waits for a pod that goes already, if it was evicted from here, or if relief may come of it whoever sent it away. */
function withGoing(state: EvictionState, snapshot: Snapshot, config: WaitConfig): EvictionState {
  if (state.awaited !== undefined || !isPressed(state)) return state;
  const own = new Set([state.tried, ...state.evicted.map(({ podUid }) => podUid)]);
  const victim = rankGoing(snapshot, config).find(
    ({ pod, isOverRequest }) => (own.has(pod.uid) || isOverRequest) && !(pod.uid in state.passedOver),
  );
  if (victim === undefined) return state;
  const untilSeconds = snapshot.atSeconds + config.victimDeadlineSeconds;
  return { ...state, awaited: { podUid: victim.pod.uid, untilSeconds } };
}
