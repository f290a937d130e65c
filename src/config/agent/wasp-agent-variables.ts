// With wasp's image in wasp-agent's DaemonSet, wasp-agent's documented eviction policy stays in force.
import {
  WASP_AGENT_LIMITS,
  type WaspAgentLimits,
  waspAgentThresholds,
} from "../../policy/eviction/default-thresholds.ts";
import type { KnobSetting } from "./knob-setting.ts";
import { thresholdAsWritten } from "./thresholds.ts";

const LIMIT_BY_VARIABLE: Readonly<Record<string, keyof WaspAgentLimits>> = {
  SWAP_UTILIZATION_THRESHOLD_FACTOR: "utilizationFactor",
  MAX_AVERAGE_SWAP_IN_PAGES_PER_SECOND: "swapInPagesPerSecond",
  MAX_AVERAGE_SWAP_OUT_PAGES_PER_SECOND: "swapOutPagesPerSecond",
};
const WINDOW_VARIABLE = "AVERAGE_WINDOW_SIZE_SECONDS";

/** Returns the names of wasp-agent's eviction variables that are set. */
export function waspAgentVariablesIn(variables: Readonly<Record<string, string>>): string[] {
  return [...Object.keys(LIMIT_BY_VARIABLE), WINDOW_VARIABLE].filter((name) => name in variables);
}

/** Reads wasp-agent's variables, any of which selects its policy, and complains of invalid ones. */
export function settingsOfWaspAgent(variables: Readonly<Record<string, string>>): {
  readonly settings: readonly KnobSetting[];
  readonly complaints: readonly string[];
} {
  const set = waspAgentVariablesIn(variables);
  const figures = Object.entries(LIMIT_BY_VARIABLE).flatMap(([name, limit]) =>
    name in variables ? [{ name, limit, figure: parseFigure(variables[name] ?? "") }] : [],
  );
  const complaints = figures
    .filter(({ figure }) => figure === undefined)
    .map(({ name }) => `${name}: ${JSON.stringify(variables[name])} is not a number such as 0.8 or 1000`);
  if (set.length === 0 || complaints.length > 0) return { settings: [], complaints };
  const limits = {
    ...WASP_AGENT_LIMITS,
    ...Object.fromEntries(figures.map(({ limit, figure }) => [limit, figure])),
  };
  const thresholds: KnobSetting = {
    knob: "evictionThresholds",
    value: waspAgentThresholds(limits).map(thresholdAsWritten),
    place: set.join(", "),
    source: `environment ${set.join(", ")}`,
  };
  const window: KnobSetting = {
    knob: "trafficWindowSeconds",
    value: variables[WINDOW_VARIABLE],
    place: WINDOW_VARIABLE,
    source: `environment ${WINDOW_VARIABLE}`,
  };
  return { settings: WINDOW_VARIABLE in variables ? [thresholds, window] : [thresholds], complaints };
}

function parseFigure(text: string): number | undefined {
  return /^\d{1,12}(?:\.\d{1,12})?$/.test(text) ? Number(text) : undefined;
}
