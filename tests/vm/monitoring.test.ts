/** Alerts, dashboard and runbooks: Prometheus' own tool parses the expressions and simulates the alerts. */
import { beforeAll, expect, test } from "bun:test";
import { CASES } from "../manifests/monitoring/cases.ts";
import { PANELS } from "../manifests/monitoring/dashboard.ts";
import { promtoolTests, recordingRules } from "../manifests/monitoring/promtool.ts";
import { MONITORING, RULES } from "../manifests/monitoring/rules.ts";
import { expressionsOf, RUNBOOKS } from "../manifests/monitoring/runbooks.ts";
import { startNode } from "./node.ts";

const guest = await startNode();
const folder = "/run/wasp-monitoring";

beforeAll(async () => {
  await guest.must(`mkdir --parents ${folder}`);
  await guest.push(`${MONITORING}/rules.yaml`, `${folder}/rules.yaml`, 0o644);
});

async function promtool(kind: "check" | "test", text: string): Promise<{ code: number; output: string }> {
  const script = `cat > ${folder}/input.json; cd ${folder}; promtool ${kind} rules input.json`;
  const { code, stdout, stderr } = await guest.run(script, { stdin: text });
  return { code, output: stdout + stderr };
}

test("promtool accepts the rules", async () => {
  const { code, stdout } = await guest.run(`promtool check rules ${folder}/rules.yaml`);
  expect(stdout).toContain(`SUCCESS: ${RULES.length} rules found`);
  expect(code).toBe(0);
});

test.each(RULES)(
  "$alert fires exactly when it should, with the right labels and annotations",
  async ({ alert }) => {
    const cases = CASES.filter((each) => each.alert === alert);
    const { code, output } = await promtool("test", promtoolTests(cases, "rules.yaml"));
    expect(output).not.toContain("FAILED");
    expect(code).toBe(0);
  },
);

test("promtool detects an alert that does not fire", async () => {
  const [fires] = CASES.filter(({ firing }) => firing.length > 0);
  if (fires === undefined) throw new Error("no alert ever fires");
  const { code, output } = await promtool("test", promtoolTests([{ ...fires, firing: [] }], "rules.yaml"));
  expect(output).toContain("FAILED");
  expect(code).not.toBe(0);
});

test.each([
  { name: "the dashboard's panels", expressions: PANELS.flatMap(({ expressions }) => expressions) },
  { name: "the runbooks", expressions: RUNBOOKS.flatMap(expressionsOf) },
])("promtool parses the expressions of $name", async ({ expressions }) => {
  const { code, output } = await promtool("check", recordingRules(expressions));
  expect(output).toContain(`SUCCESS: ${expressions.length} rules found`);
  expect(code).toBe(0);
});
