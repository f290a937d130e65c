/** Checks that the dashboard selects series that exist; promtool checks its expressions in tests/vm/monitoring.test.ts. */
import { describe, expect, test } from "bun:test";
import dashboard from "../../../manifests/monitoring/dashboard.json";
import { PANELS } from "./dashboard.ts";
import { found, haveLabel } from "./exported.ts";
import { groupingLabelsOf, selectorsOf } from "./expression.ts";

const variables = dashboard.templating.list.map(({ name }) => name);

test("its panels have distinct ids and places", () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect([...new Set(ids)]).toEqual(ids);
  const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
  expect([...new Set(places)]).toEqual(places);
});

test("it refers to its own variables only", () => {
  const named = JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g);
  expect([...new Set([...named].map(([, name]) => name))].sort()).toEqual(
    [...variables, "__rate_interval"].sort(),
  );
  const query = dashboard.templating.list.find(({ name }) => name === "node")?.query ?? "";
  const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
  const series = found({ metric, matchers: [] });
  expect(series).not.toBeEmpty();
  expect(haveLabel(series, label)).toBe(true);
});

describe.each(PANELS)("the panel $title", ({ title, expressions }) => {
  test("selects series and labels that the agent or node_exporter exposes", () => {
    expect(expressions).not.toBeEmpty();
    for (const expression of expressions) {
      const selectors = selectorsOf(expression);
      expect(selectors).not.toBeEmpty();
      for (const selector of selectors)
        expect({ selector, isThere: found(selector).length > 0 }).toEqual({ selector, isThere: true });
      for (const label of groupingLabelsOf(expression))
        expect({ label, isThere: haveLabel(selectors.flatMap(found), label) }).toEqual({
          label,
          isThere: true,
        });
    }
  });

  test("names its lines by labels of their series", () => {
    const { targets = [] } = dashboard.panels.find((panel) => panel.title === title) ?? {};
    for (const { expr, legendFormat } of targets)
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect(groupingLabelsOf(expr)).toContain(label);
  });
});
