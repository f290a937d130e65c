/** Checks that the alerts select series that exist; promtool evaluates them in tests/vm/monitoring.test.ts. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { ROOT } from "../../node/binary.ts";
import { complaintsAbout } from "../openapi.ts";
import { CASES } from "./cases.ts";
import { found, haveLabel } from "./exported.ts";
import { groupingLabelsOf, selectorsOf } from "./expression.ts";
import { OBJECTS, textOf } from "./objects.ts";
import { GROUPS, MONITORING, RULES } from "./rules.ts";

describe.each(OBJECTS)("$file", (object) => {
  const text = readFileSync(`${MONITORING}/${object.file}`, "utf8");

  test("is generated from the rules", () => {
    expect(text).toBe(textOf(object, readFileSync(`${MONITORING}/rules.yaml`, "utf8")));
    expect(parse(text).spec).toEqual({ groups: GROUPS });
  });

  test("is valid", () => {
    expect(complaintsAbout(parse(text))).toEqual([]);
  });
});

test("no two alerts or groups have one name", () => {
  for (const names of [RULES.map(({ alert }) => alert), GROUPS.map(({ name }) => name)])
    expect([...new Set(names)]).toEqual(names);
});

describe.each(RULES)("$alert", ({ alert, expr, for: lasting, labels, annotations }) => {
  const { summary = "", description = "", runbook_url: runbook = "", ...others } = annotations;

  test("selects series that the agent or node_exporter exposes", () => {
    const selectors = selectorsOf(expr);
    expect(selectors).not.toBeEmpty();
    for (const { metric, matchers } of selectors) {
      // Each alternative of a regular expression on its own, so that one that never matches is found.
      const alternatives = matchers.flatMap(({ label, operator, value }) =>
        value.split("|").map((word) => ({ label, operator, value: word })),
      );
      for (const matcher of alternatives)
        expect({ matcher, isThere: found({ metric, matchers: [matcher] }).length > 0 }).toEqual({
          matcher,
          isThere: true,
        });
      expect(found({ metric, matchers })).not.toBeEmpty();
    }
  });

  test("uses labels that these series have", () => {
    const series = selectorsOf(expr).flatMap(found);
    const used = `${summary} ${description}`.matchAll(/\$labels\.(\w+)/g);
    for (const label of [...groupingLabelsOf(expr), ...[...used].map(([, label = ""]) => label)])
      expect({ label, isThere: haveLabel(series, label) }).toEqual({ label, isThere: true });
  });

  test("has a severity, a summary, a description and a runbook", () => {
    expect(Object.keys(labels)).toEqual(["severity"]);
    expect(labels["severity"]).toBeOneOf(["critical", "warning", "info"]);
    expect(lasting).toMatch(/^\d+m$/);
    expect(others).toEqual({});
    for (const sentence of [summary, description]) expect(sentence).toMatch(/^[A-Z{].*\.$/);
    expect(summary).not.toContain("$value");
    // Without a format a value is printed with all digits of a float.
    for (const [value] of description.matchAll(/\{\{ \$value.*?\}\}/g)) expect(value).toContain("|");
    expect(runbook).toBe(`manifests/monitoring/runbooks/${alert}.md`);
    expect(existsSync(`${ROOT}/${runbook}`)).toBe(true);
  });

  test("has a case in which it fires, and one in which it does not", () => {
    const cases = CASES.filter((each) => each.alert === alert);
    expect(cases.filter(({ firing }) => firing.length > 0)).not.toBeEmpty();
    expect(cases.filter(({ firing }) => firing.length === 0)).not.toBeEmpty();
  });
});

test("the cases use series that the agent or node_exporter exposes", () => {
  for (const { metric, labels } of CASES.flatMap(({ series }) => series)) {
    const matchers = Object.entries(labels).map(([label, value]) => ({ label, operator: "=", value }));
    const shown = found({ metric, matchers }).map((series) => Object.keys(series.labels).sort());
    expect({ metric, labels, shown }).toMatchObject({
      shown: expect.arrayContaining([Object.keys(labels).sort()]),
    });
  }
});
