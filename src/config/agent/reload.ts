import type { KnobSource } from "./knob-setting.ts";
import { AGENT_KNOBS, type AgentConfig, type AgentKnob } from "./knobs.ts";
import type { SourcedConfig } from "./load.ts";

/** Knobs that a running agent applies from a changed file; the others need a restart. */
export const RELOADABLE_KNOBS = [
  "swapBehavior",
  "workloads",
  "podOverrides",
  "excludeNamespaces",
  "systemReservedSwapBytes",
  "nodeSwapLimitBytes",
  "evictionMode",
  "evictionThresholds",
  "swapReach",
  "cooldownSeconds",
  "victimDeadlineSeconds",
  "maxEvictionsPerHour",
  "lastResort",
  "trafficWindowSeconds",
  "taintEffect",
  "memoryQos",
  "memoryQosOnError",
  "podPollSeconds",
  "sweepSeconds",
  "maxRestoresPerMinute",
  "verbosity",
  "dryRun",
] as const satisfies readonly AgentKnob[];

/** Configuration of a running agent after it has loaded a changed one. */
export interface Reload extends SourcedConfig {
  /** Changed knobs that need a restart, and have their old values until then. */
  readonly awaitingRestart: readonly AgentKnob[];
}

/** Applies the reloadable knobs of a newly loaded configuration to the running one. */
export function reloadConfig(running: SourcedConfig, loaded: SourcedConfig): Reload {
  const isFixed = (knob: AgentKnob) => !(RELOADABLE_KNOBS as readonly AgentKnob[]).includes(knob);
  const fixed = AGENT_KNOBS.filter(isFixed);
  return {
    config: Object.freeze({ ...loaded.config, ...pick(running.config, fixed) } as AgentConfig),
    sources: Object.freeze({ ...loaded.sources, ...pick(running.sources, fixed) } as Record<
      AgentKnob,
      KnobSource
    >),
    awaitingRestart: fixed.filter((knob) => loaded.config[knob] !== running.config[knob]),
  };
}

function pick<T extends object>(from: T, keys: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Partial<T>;
}
