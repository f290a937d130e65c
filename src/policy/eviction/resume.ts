import { type EvictionConfig, inheritedUntil } from "./decide.ts";
import { type EvictedPod, type EvictionState, HOUR_SECONDS } from "./state.ts";

/** Record that an earlier agent left on the node; times in seconds of this agent's clock, which may be negative. */
export interface EvictionPast {
  /** Pods whose eviction it requested lately, whatever the answer, oldest first. */
  readonly evicted: readonly EvictedPod[];
  /** Start of the pressure under which it ended, with the taint or condition still on the node; undefined without one. */
  readonly pressedSinceSeconds: number | undefined;
}

/**
 * Continues from the record of an earlier agent. Its pressure lasts until the thresholds have been unmet for their clear
 * time, and its evictions of that pressure count as such. All count towards the hourly maximum. If its last victim may still be terminating, or relief may still
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
    ...(past.pressedSinceSeconds !== undefined && {
      inheritedUntilSeconds: inheritedUntil(config, nowSeconds),
      pressedSinceSeconds: past.pressedSinceSeconds - shortestClearSeconds(config),
    }),
  };
}

// The node may have shown the pressure only after the first eviction. One of an earlier pressure is at least that old.
function shortestClearSeconds({ evictionThresholds }: EvictionConfig): number {
  return Math.min(...evictionThresholds.map(({ minClearSeconds }) => minClearSeconds));
}
