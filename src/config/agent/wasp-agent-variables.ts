// Who puts wasp's image into wasp-agent's DaemonSet keeps its policy of eviction, as it is documented.
import {
  WASP_AGENT_LIMITS,
  type WaspAgentLimits,
  waspAgentThresholds,
} from "../../policy/eviction/default-thresholds.ts";
import type { Setting } from "./setting.ts";
import { thresholdAsWritten } from "./thresholds.ts";

const LIMITS: Readonly<Record<string, keyof WaspAgentLimits>> = {
  SWAP_UTILIZATION_THRESHOLD_FACTOR: "utilizationFactor",
  MAX_AVERAGE_SWAP_IN_PAGES_PER_SECOND: "swapInPagesPerSecond",
  MAX_AVERAGE_SWAP_OUT_PAGES_PER_SECOND: "swapOutPagesPerSecond",
};
const WINDOW = "AVERAGE_WINDOW_SIZE_SECONDS";

/** The names of wasp-agent's variables of eviction among those that are set. */
export function waspAgentVariablesIn(variables: Readonly<Record<string, string>>): string[] {
  return [...Object.keys(LIMITS), WINDOW].filter((name) => name in variables);
}

/** What wasp-agent's variables set, any of which selects its policy, and what is wrong with them. */
export function settingsOfWaspAgent(variables: Readonly<Record<string, string>>): {
  readonly settings: readonly Setting[];
  readonly complaints: readonly string[];
} {
  const set = waspAgentVariablesIn(variables);
  const figures = Object.entries(LIMITS).flatMap(([name, limit]) =>
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
  const thresholds: Setting = {
    knob: "evictionThresholds",
    value: waspAgentThresholds(limits).map(thresholdAsWritten),
    place: set.join(", "),
    source: `environment ${set.join(", ")}`,
  };
  const window: Setting = {
    knob: "trafficWindowSeconds",
    value: variables[WINDOW],
    place: WINDOW,
    source: `environment ${WINDOW}`,
  };
  return { settings: WINDOW in variables ? [thresholds, window] : [thresholds], complaints };
}

function parseFigure(text: string): number | undefined {
  return /^\d{1,12}(?:\.\d{1,12})?$/.test(text) ? Number(text) : undefined;
}
