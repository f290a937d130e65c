import { AGENT_KNOBS, type AgentConfig, type AgentKnob } from "./knobs.ts";
import type { SourcedConfig } from "./load.ts";
import type { Source } from "./setting.ts";

/** The knobs that a running agent takes over from a changed file; the others wait for a restart. */
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

/** What a running agent makes of a configuration that it loaded anew. */
export interface Reload extends SourcedConfig {
  /** The knobs that are other than they were, and stay so until a restart. */
  readonly awaitingRestart: readonly AgentKnob[];
}

/** Takes over from a new configuration what can change while the agent runs. */
export function reloadConfig(running: SourcedConfig, loaded: SourcedConfig): Reload {
  const isFixed = (knob: AgentKnob) => !(RELOADABLE_KNOBS as readonly AgentKnob[]).includes(knob);
  const fixed = AGENT_KNOBS.filter(isFixed);
  return {
    config: Object.freeze({ ...loaded.config, ...pick(running.config, fixed) } as AgentConfig),
    sources: Object.freeze({ ...loaded.sources, ...pick(running.sources, fixed) } as Record<
      AgentKnob,
      Source
    >),
    awaitingRestart: fixed.filter((knob) => loaded.config[knob] !== running.config[knob]),
  };
}

function pick<T extends object>(from: T, keys: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Partial<T>;
}
