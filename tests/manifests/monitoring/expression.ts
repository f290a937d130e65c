/** Finds the metrics and labels in a PromQL expression; promtool checks its validity. */

/** Metric of an expression with its label matchers. */
export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^}]*\}|[a-zA-Z_:][\w:]*|\d[\w.]*|\S/g;
const MATCHER = /([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;
const WORDS = ["and", "or", "unless", "bool", "offset", "Inf"];
const GROUPINGS = ["by", "on", "without", "ignoring", "group_left", "group_right"];

/** Returns the metrics that an expression selects. */
export function selectorsOf(expression: string): Selector[] {
  const tokens = tokensOf(expression);
  const selectors: Selector[] = [];
  tokens.forEach((token, index) => {
    const next = tokens[index + 1] ?? "";
    const isName = /^[a-zA-Z_:]/.test(token) && !WORDS.includes(token) && !GROUPINGS.includes(token);
    if (!isName || next === "(" || isAggregation(tokens, index) || isGrouped(tokens, index)) return;
    const matchers = [...(next.startsWith("{") ? next : "").matchAll(MATCHER)];
    selectors.push({
      metric: token,
      matchers: matchers.map(([, label = "", operator = "", value = ""]) => ({ label, operator, value })),
    });
  });
  return selectors;
}

/** Returns the labels by which an expression groups or joins. */
export function groupingLabelsOf(expression: string): string[] {
  const tokens = tokensOf(expression);
  return tokens.filter((token, index) => /^[a-zA-Z_]/.test(token) && isGrouped(tokens, index));
}

function tokensOf(expression: string): string[] {
  return expression.match(TOKEN) ?? [];
}

/** Returns true for the `sum` in `sum by (label) (...)`. */
function isAggregation(tokens: readonly string[], index: number): boolean {
  return ["by", "without"].includes(tokens[index + 1] ?? "");
}

/** Returns true for a token in the parentheses after `by` or another grouping. */
function isGrouped(tokens: readonly string[], index: number): boolean {
  const open = tokens.lastIndexOf("(", index);
  return open > 0 && !tokens.slice(open, index).includes(")") && GROUPINGS.includes(tokens[open - 1] ?? "");
}
