/** The alerts, the dashboard and the runbooks' expressions as Prometheus' own tool reads them and plays them through. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { CASES } from "../manifests/monitoring/cases.ts";
import { PANELS } from "../manifests/monitoring/dashboard.ts";
import { promtoolTests, recordingRules } from "../manifests/monitoring/promtool.ts";
import { MONITORING, RULES } from "../manifests/monitoring/rules.ts";
import { expressionsOf, RUNBOOKS } from "../manifests/monitoring/runbooks.ts";
import { sharedGuest } from "./node.ts";

setDefaultTimeout(120_000);

const guest = await sharedGuest();
const folder = "/run/wasp-monitoring";

beforeAll(async () => {
  await guest.must(`mkdir --parents ${folder}`);
  await guest.push(`${MONITORING}/rules.yaml`, `${folder}/rules.yaml`, 0o644);
});

afterAll(() => guest.must(`rm --recursive ${folder}`));

async function promtool(kind: "check" | "test", text: string): Promise<{ code: number; output: string }> {
  const script = `cat > ${folder}/input.json; cd ${folder}; promtool ${kind} rules input.json`;
  const { code, stdout, stderr } = await guest.run(script, { stdin: text });
  return { code, output: stdout + stderr };
}

test("the rules are as Prometheus wants them", async () => {
  const { code, stdout } = await guest.run(`promtool check rules ${folder}/rules.yaml`);
  expect(stdout).toContain(`SUCCESS: ${RULES.length} rules found`);
  expect(code).toBe(0);
});

test.each(RULES)(
  "$alert fires when it should, with what it should say, and not otherwise",
  async ({ alert }) => {
    const cases = CASES.filter((each) => each.alert === alert);
    const { code, output } = await promtool("test", promtoolTests(cases, "rules.yaml"));
    expect(output).not.toContain("FAILED");
    expect(code).toBe(0);
  },
);

test("an alert that does not fire would be missed", async () => {
  const [fires] = CASES.filter(({ firing }) => firing.length > 0);
  if (fires === undefined) throw new Error("no alert ever fires");
  const { code, output } = await promtool("test", promtoolTests([{ ...fires, firing: [] }], "rules.yaml"));
  expect(output).toContain("FAILED");
  expect(code).not.toBe(0);
});

test.each([
  { what: "the dashboard's panels", expressions: PANELS.flatMap(({ expressions }) => expressions) },
  { what: "the runbooks", expressions: RUNBOOKS.flatMap(expressionsOf) },
])("the expressions of $what can be read", async ({ expressions }) => {
  const { code, output } = await promtool("check", recordingRules(expressions));
  expect(output).toContain(`SUCCESS: ${expressions.length} rules found`);
  expect(code).toBe(0);
});
