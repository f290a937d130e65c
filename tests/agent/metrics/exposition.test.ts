import { expect, test } from "bun:test";
import { parseExposition } from "./exposition.ts";

const HEAD = "# HELP a_bytes What.\n# TYPE a_bytes gauge\n";

test("a valid text is parsed", () => {
  const { series } = parseExposition(`${HEAD}a_bytes{b="\\""} +Inf\na_bytes 1e-7\n`).get("a_bytes") ?? {};
  expect([...(series ?? [])]).toEqual([
    ['a_bytes{b="\\""}', Number.POSITIVE_INFINITY],
    ["a_bytes", 1e-7],
  ]);
});

test.each<[string, string]>([
  ["the last line does not end", `${HEAD}a_bytes 1`],
  ["no HELP right above", "# TYPE a_bytes gauge\n"],
  ["a second TYPE", HEAD + HEAD],
  ["a name without a unit", "# HELP a What.\n# TYPE a gauge\n"],
  ["only counters end in _total", "# HELP a_total What.\n# TYPE a_total gauge\n"],
  ["only counters end in _total", "# HELP a_bytes What.\n# TYPE a_bytes counter\n"],
  ["not below its TYPE", `${HEAD}b_bytes 1\n`],
  ["malformed labels", `${HEAD}a_bytes{b=1} 1\n`],
  ["malformed labels", `${HEAD}a_bytes{b="1",} 1\n`],
  ["a series twice", `${HEAD}a_bytes{b="1"} 1\na_bytes{b="1"} 2\n`],
  ["neither a comment nor a sample", `${HEAD}a_bytes Nan\n`],
])("%s: %j", (complaint, text) => {
  expect(() => parseExposition(text)).toThrow(complaint);
});
