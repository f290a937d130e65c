/** Alert cases in promtool's format, written as JSON, which is valid YAML. */
import type { Case, CaseSeries } from "./cases.ts";
import { RULES } from "./rules.ts";

/** Returns a promtool test file that evaluates cases; `rulesFile` is relative to the test file. */
export function promtoolTests(cases: readonly Case[], rulesFile: string): string {
  const tests = cases.map(({ alert, name, series, atMinutes, firing }) => ({
    name: `${alert}: ${name}`,
    interval: "1m",
    input_series: series.map((each) => ({ series: selectorOf(each), values: each.values })),
    alert_rule_test: [
      {
        eval_time: `${atMinutes}m`,
        alertname: alert,
        exp_alerts: firing.map(({ labels, description }) => expectation(alert, labels, description)),
      },
    ],
  }));
  return JSON.stringify({ rule_files: [rulesFile], evaluation_interval: "1m", tests });
}

/** Returns a file of recording rules with these expressions, so that promtool checks their syntax. */
export function recordingRules(expressions: readonly string[]): string {
  const rules = expressions.map((expr, index) => ({ record: `expression_${index}`, expr }));
  return JSON.stringify({ groups: [{ name: "expressions", rules }] });
}

function selectorOf({ metric, labels, node }: CaseSeries): string {
  const ofTarget = metric.startsWith("wasp_")
    ? {
        job: "wasp/wasp",
        instance: "10.0.0.7:9809",
        namespace: "wasp",
        pod: "wasp-x7z",
        container: "agent",
        node,
      }
    : { job: "node-exporter", instance: node };
  const pairs = Object.entries({ ...ofTarget, ...labels }).map(([label, value]) => `${label}="${value}"`);
  return `${metric}{${pairs.join(",")}}`;
}

function expectation(alert: string, labels: Readonly<Record<string, string>>, description: string) {
  const rule = RULES.find((each) => each.alert === alert);
  if (rule === undefined) throw new Error(`${alert} is no alert`);
  const { summary = "", runbook_url } = rule.annotations;
  const expanded = summary.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? "");
  return {
    exp_labels: { ...rule.labels, ...labels },
    exp_annotations: { summary: expanded, description, runbook_url },
  };
}
