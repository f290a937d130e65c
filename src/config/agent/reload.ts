import type { KnobSource } from "./knob-setting.ts";
import { AGENT_KNOBS, type AgentConfig, type AgentKnob } from "./knobs.ts";
import type { SourcedConfig } from "./load.ts";
import { formatKnob } from "./print.ts";

/** Knobs that a running agent applies from a changed file; the others need a restart. */
export const RELOADABLE_KNOBS = [
  "swapBehavior",
  "workloads",
  "podOverrides",
  "excludeNamespaces",
  "systemReservedSwapBytes",
  "swapLimits",
  "nodeSwapLimitBytes",
  "evictionMode",
  "evictionThresholds",
  "swapReach",
  "cooldownSeconds",
  "victimDeadlineSeconds",
  "maxEvictionsPerHour",
  "lastResort",
  "evictionOptOut",
  "evictionOptOutNamespaces",
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

/** Change of the file that has no effect, because a flag or a variable holds the knob. */
export interface OverriddenChange {
  readonly knob: AgentKnob;
  /** Value of the file, or the default where the file has none, in one line. */
  readonly fileValue: string;
  /** Value in force, in one line. */
  readonly value: string;
  readonly source: KnobSource;
}

/** Configuration of a running agent after it has loaded a changed one. */
export interface Reload extends SourcedConfig {
  /** Knobs whose value in force has changed. */
  readonly changed: readonly AgentKnob[];
  readonly overridden: readonly OverriddenChange[];
  /** Changed knobs that need a restart, and have their old values until then. */
  readonly awaitingRestart: readonly AgentKnob[];
}

/** Applies the reloadable knobs of a newly loaded configuration to the running one. */
export function reloadConfig(running: SourcedConfig, loaded: SourcedConfig): Reload {
  const isFixed = (knob: AgentKnob) => !(RELOADABLE_KNOBS as readonly AgentKnob[]).includes(knob);
  const fixed = AGENT_KNOBS.filter(isFixed);
  const config = Object.freeze({ ...loaded.config, ...pick(running.config, fixed) } as AgentConfig);
  return {
    config,
    fileConfig: loaded.fileConfig,
    changed: differencesOf(config, running.config),
    overridden: differencesOf(loaded.fileConfig, running.fileConfig)
      .map((knob) => overriddenChange(loaded, knob))
      .filter(({ fileValue, value }) => fileValue !== value),
    sources: Object.freeze({ ...loaded.sources, ...pick(running.sources, fixed) } as Record<
      AgentKnob,
      KnobSource
    >),
    awaitingRestart: fixed.filter((knob) => loaded.config[knob] !== running.config[knob]),
  };
}

function differencesOf(a: AgentConfig, b: AgentConfig): AgentKnob[] {
  return AGENT_KNOBS.filter((knob) => formatKnob(a, knob) !== formatKnob(b, knob));
}

// Without a flag or variable, the loaded value is the file's.
function overriddenChange({ config, fileConfig, sources }: SourcedConfig, knob: AgentKnob): OverriddenChange {
  const [fileValue, value] = [formatKnob(fileConfig, knob), formatKnob(config, knob)];
  return { knob, fileValue, value, source: sources[knob] };
}

function pick<T extends object>(from: T, keys: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Partial<T>;
}
