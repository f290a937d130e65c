/** All series that the agent and node_exporter can expose, to check that a rule can match any. */
import { readFileSync } from "node:fs";
import { AgentMetrics } from "../../../src/agent/metrics/metrics.ts";
import type { EvictionHoldReason } from "../../../src/policy/eviction/decide.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/policy/eviction/default-thresholds.ts";
import { SIGNALS } from "../../../src/policy/eviction/signals.ts";
import { NODE, shownAgent, shownContainer } from "../../agent/metrics/shown.ts";
import { ROOT } from "../../node/binary.ts";
import { build, find } from "../kustomize.ts";
import type { Selector } from "./expression.ts";

/** Series without its value. */
export interface Series {
  readonly metric: string;
  /** Labels that the exporter sets. */
  readonly labels: Readonly<Record<string, string>>;
  /** Names of the labels that Prometheus adds to all series of the target. */
  readonly targetLabels: readonly string[];
}

type Relabeling = { readonly targetLabel?: string };

// The Prometheus operator adds the other labels to all targets of a PodMonitor.
const [endpoint] = find(build(["components/pod-monitor"]), "PodMonitor").spec.podMetricsEndpoints;
const relabeled = (endpoint.relabelings as Relabeling[]).flatMap(({ targetLabel }) => targetLabel ?? []);
const AGENT_LABELS = [...relabeled, "job", "instance", "namespace", "pod", "container", "endpoint"];
// Every Prometheus adds these; the operator's further labels depend on the deployment of node_exporter.
const NODE_EXPORTER_LABELS = ["job", "instance"];

const HOLD_REASONS = [
  "relieving-kept",
  "relieving-blocked",
  "not-relieved",
] as const satisfies readonly EvictionHoldReason[];

/** All exposed series. */
export const EXPORTED: readonly Series[] = [
  ...(await Promise.all(HOLD_REASONS.map(agentMetrics))).flatMap((text) => seriesOf(text, AGENT_LABELS)),
  ...seriesOf(readFileSync(`${ROOT}/tests/fixtures/node-exporter/metrics.txt`, "utf8"), NODE_EXPORTER_LABELS),
];

/** Returns the series that a selector can match, or none if a matcher can never match. */
export function found({ metric, matchers }: Selector): Series[] {
  const ofMetric = EXPORTED.filter((series) => series.metric === metric);
  return ofMetric.filter(({ labels, targetLabels }) =>
    matchers.every(({ label, operator, value }) => {
      const own = labels[label];
      if (own === undefined) return targetLabels.includes(label);
      return operator.endsWith("~") ? new RegExp(`^(?:${value})$`).test(own) : own === value;
    }),
  );
}

/** Returns true if all series have a label. */
export function haveLabel(series: readonly Series[], label: string): boolean {
  return series.every(({ labels, targetLabels }) => label in labels || targetLabels.includes(label));
}

/** Returns the metrics of an agent that exposes every series; it holds for one reason at a time. */
async function agentMetrics(holdReason: EvictionHoldReason): Promise<string> {
  const view = shownAgent({
    containers: () => [shownContainer()],
    node: () => ({ ...NODE, kubepodsMemoryPressure: NODE.memoryPressure }),
    signals: () => ({
      ...(Object.fromEntries(SIGNALS.map((signal) => [signal, 1])) as Record<
        (typeof SIGNALS)[number],
        number
      >),
      pressureCause: "swap-in",
      stall: 1,
      anyStall: 1,
      harmedPods: ["pod"],
      excuse: undefined,
    }),
    thresholds: () => Object.fromEntries(DEFAULT_THRESHOLDS.map(({ name }) => [name, true])),
    holdReason: () => holdReason,
    reach: () => ({ memoryHighBytes: 1, reason: "held" }),
  });
  const metrics = new AgentMetrics({ version: "0", commit: "0" });
  for (const histogram of [metrics.limitLatency, metrics.podListDuration, metrics.reconcileDuration])
    histogram.observe(1);
  return await metrics.scrape(view);
}

function seriesOf(exposition: string, targetLabels: readonly string[]): Series[] {
  const samples = exposition.matchAll(/^([a-zA-Z_]\w*)(?:\{(.*)\})? \S+$/gm);
  return [...samples].map(([, metric = "", text = ""]) => {
    const labels = [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
    return {
      metric,
      labels: Object.fromEntries(labels.map(([, name, value]) => [name, value])),
      targetLabels,
    };
  });
}
