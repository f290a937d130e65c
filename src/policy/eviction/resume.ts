import { type EvictionConfig, inheritedUntil } from "./decide.ts";
import { type Evicted, type EvictionState, HOUR_SECONDS } from "./state.ts";

/** What an agent before this one left behind; seconds of this one's clock, in which they may be less than nothing. */
export interface EvictionPast {
  /** The pods for whose eviction it asked lately, whatever the answer was, oldest first. */
  readonly evicted: readonly Evicted[];
  /** It ended under pressure, and could not take its marks off the node. */
  readonly isPressed: boolean;
}

/**
 * Goes on from where an agent before this one ended. Pressure lasts until it has been unfelt for as long as it takes to be
 * over; an eviction counts towards the hour's; and if its victim may be on its way out still, or relief to come, the
 * cooldown begins now. Not known any more is who was passed over.
 */
export function resumed(
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
