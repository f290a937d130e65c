// How rules of evicting do on simulated nodes, whose evictions feed back: `npm run bench:simulation [NODES] [SEED]`.
// It prints rates, and fails only where a node cannot be simulated.
import {
  DEFAULT_THRESHOLDS,
  WASP_AGENT_LIMITS,
  waspAgentThresholds,
} from "../../src/policy/eviction/default-thresholds.ts";
import { type Incident, runIncident } from "../sim/incident.ts";
import { Random } from "../sim/random.ts";
import type { ClosedLoopRule } from "../sim/rule.ts";
import { KINDS, scenarioOf } from "../sim/scenarios.ts";
import { WaspRule } from "../sim/wasp-rule.ts";
import { KatalystRule } from "./katalyst-rule.ts";
import { OomdRule } from "./oomd-rule.ts";
import { printTable, quantile } from "./table.ts";

const RULES: Readonly<Record<string, () => ClosedLoopRule>> = {
  wasp: () => new WaspRule(DEFAULT_THRESHOLDS),
  "wasp-agent": () => new WaspRule(waspAgentThresholds(WASP_AGENT_LIMITS)),
  "systemd-oomd": () => new OomdRule(),
  katalyst: () => new KatalystRule(),
};

// A right eviction later than that is no answer to the harm.
const MISSED_SECONDS = 90;

const [nodes = "200", seed = "1"] = process.argv.slice(2);
const incidents: Record<string, Incident[]> = Object.fromEntries(
  Object.keys(RULES).map((name) => [name, []]),
);
for (let node = 0; node < Number(nodes); node += 1) {
  const kind = KINDS[node % KINDS.length] ?? "";
  for (const [name, rule] of Object.entries(RULES)) {
    // The same node for every rule.
    const random = new Random(Number(seed) * 1_000_003 + node);
    incidents[name]?.push(runIncident(scenarioOf(kind, random), random, rule()));
  }
}

printTable(
  ["RULE", "NODES", "FALSE %", "WRONG %", "MISSED %", "P50 S", "P99 S", "MOST INNOCENTS"],
  Object.entries(incidents).map(([name, own]) => [name, ...ratesOf(own)]),
);
for (const name of Object.keys(RULES))
  printTable(
    [name, "NODES", "FALSE %", "WRONG %", "MISSED %", "P50 S", "P99 S", "MOST INNOCENTS"],
    KINDS.map((kind) => [kind, ...ratesOf((incidents[name] ?? []).filter((one) => one.kind === kind))]),
  );

function ratesOf(all: readonly Incident[]): string[] {
  const harmful = all.filter(({ harmSeconds, isRelievable }) => harmSeconds !== undefined && isRelievable);
  const delays = harmful.flatMap((incident) => delayOf(incident) ?? []);
  const innocents = all.map(
    ({ evictions }) => evictions.filter(({ verdict }) => verdict === "innocent").length,
  );
  const isFalse = ({ evictions }: Incident) => evictions.some(({ verdict }) => verdict === "unharmed");
  return [
    `${all.length}`,
    percent(all.filter(isFalse).length, all.length),
    percent(innocents.filter((count) => count > 0).length, all.length),
    percent(harmful.length - delays.length, harmful.length),
    seconds(quantile(delays, 0.5)),
    seconds(quantile(delays, 0.99)),
    `${Math.max(0, ...innocents)}`,
  ];
}

/** From the beginning of harm to the first eviction that relieves it, in seconds; undefined where it is missed. */
function delayOf({ harmSeconds = 0, evictions }: Incident): number | undefined {
  const right = evictions.find(({ verdict }) => verdict === "right");
  const delay = right === undefined ? undefined : right.atSeconds - harmSeconds;
  return delay === undefined || delay > MISSED_SECONDS ? undefined : delay;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : ((100 * part) / whole).toFixed(1);
}

function seconds(value: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(0);
}
