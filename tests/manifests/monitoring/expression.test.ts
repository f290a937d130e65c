import { expect, test } from "bun:test";
import { groupingLabelsOf, selectorsOf } from "./expression.ts";

const selector = (metric: string, ...matchers: [string, string, string][]) => ({
  metric,
  matchers: matchers.map(([label, operator, value]) => ({ label, operator, value })),
});

test.each<[string, ReturnType<typeof selector>[], string[]]>([
  ["a_bytes", [selector("a_bytes")], []],
  ['rate(a_total{b="x",c=~"y|z"}[5m]) > 1e3', [selector("a_total", ["b", "=", "x"], ["c", "=~", "y|z"])], []],
  [
    "max by (node) (a / (b > 0)) unless on (node, pod) sum(c) by (job)",
    [selector("a"), selector("b"), selector("c")],
    ["node", "node", "pod", "job"],
  ],
  [
    "(count(a) or vector(0)) and on (x) group_left (y) b offset 5m",
    [selector("a"), selector("b")],
    ["x", "y"],
  ],
  ['label_replace(a, "to", "$1", "from", "(.*)")', [selector("a")], []],
])("%s", (expression, selectors, labels) => {
  expect(selectorsOf(expression)).toEqual(selectors);
  expect(groupingLabelsOf(expression)).toEqual(labels);
});
