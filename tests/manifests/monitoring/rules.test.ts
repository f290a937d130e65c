/** Whether the alerts can ever see what they wait for, and tell it; promtool runs them in tests/vm/monitoring.test.ts. */
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

  test("is made of the rules", () => {
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

  test("asks for series that the agent or node_exporter shows", () => {
    const selectors = selectorsOf(expr);
    expect(selectors).not.toBeEmpty();
    for (const { metric, matchers } of selectors) {
      // Each of several words by itself: one that nobody says would not be missed among others.
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

  test("goes by labels that these series have", () => {
    const series = selectorsOf(expr).flatMap(found);
    const told = `${summary} ${description}`.matchAll(/\$labels\.(\w+)/g);
    for (const label of [...groupingLabelsOf(expr), ...[...told].map(([, label = ""]) => label)])
      expect({ label, isThere: haveLabel(series, label) }).toEqual({ label, isThere: true });
  });

  test("says how bad it is, what it is, and where to read on", () => {
    expect(Object.keys(labels)).toEqual(["severity"]);
    expect(labels["severity"]).toBeOneOf(["critical", "warning", "info"]);
    expect(lasting).toMatch(/^\d+m$/);
    expect(others).toEqual({});
    for (const sentence of [summary, description]) expect(sentence).toMatch(/^[A-Z{].*\.$/);
    expect(summary).not.toContain("$value");
    // Bare, a figure has as many digits as a float has.
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

test("the cases are made of series that the agent or node_exporter shows", () => {
  for (const { metric, labels } of CASES.flatMap(({ series }) => series)) {
    const matchers = Object.entries(labels).map(([label, value]) => ({ label, operator: "=", value }));
    const shown = found({ metric, matchers }).map((series) => Object.keys(series.labels).sort());
    expect({ metric, labels, shown }).toMatchObject({
      shown: expect.arrayContaining([Object.keys(labels).sort()]),
    });
  }
});
