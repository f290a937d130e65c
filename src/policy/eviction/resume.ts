import { type EvictionConfig, inheritedUntil } from "./decide.ts";
import { type EvictedPod, type EvictionState, HOUR_SECONDS } from "./state.ts";

/** Record that an earlier agent left on the node; times in seconds of this agent's clock, which may be negative. */
export interface EvictionPast {
  /** Pods whose eviction it requested lately, whatever the answer, oldest first. */
  readonly evicted: readonly EvictedPod[];
  /** It ended under pressure, with the taint or condition still on the node. */
  readonly isPressed: boolean;
}

/**
 * Continues from the record of an earlier agent. Its pressure lasts until the thresholds have been unmet for their clear
 * time. Its evictions count towards the hourly maximum. If its last victim may still be terminating, or relief may still
 * show, the cooldown starts now. The passed-over pods are not in the record.
 */
export function resumeEvictions(
  state: EvictionState,
  past: EvictionPast,
  config: EvictionConfig,
  nowSeconds: number,
): EvictionState {
  const evicted = past.evicted.filter(({ atSeconds }) => nowSeconds - atSeconds < HOUR_SECONDS);
  const last = evicted.at(-1)?.atSeconds ?? Number.NEGATIVE_INFINITY;
  const isRecent = nowSeconds - last < config.victimDeadlineSeconds + config.cooldownSeconds;
  const cooldownUntilSeconds = isRecent ? nowSeconds + config.cooldownSeconds : state.cooldownUntilSeconds;
  return {
    ...state,
    evicted: [...evicted, ...state.evicted],
    cooldownUntilSeconds: Math.max(cooldownUntilSeconds, state.cooldownUntilSeconds),
    inheritedUntilSeconds: past.isPressed ? inheritedUntil(config, nowSeconds) : undefined,
  };
}
