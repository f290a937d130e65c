import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { stringify } from "yaml";
import { parseMemoryQos } from "../../../src/config/nri/memory-qos-file.ts";
import type { MemoryQosConfig } from "../../../src/policy/memory-qos/classes.ts";
import { ROOT } from "../../node/binary.ts";

const parse = (text: string) => parseMemoryQos("qos.yaml", text);

function complaintsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message.split("\n");
  }
  return [];
}

const sample = {
  classes: [
    { name: "bronze", swapLimitRatio: 0.5, maxSwapBytes: 8 * 2 ** 30 },
    { name: "silver", swapLimitRatio: 0.2, maxSwapBytes: 2 * 2 ** 30 },
  ],
  unifiedAnnotations: ["memory.high"],
};

describe("a configuration of memory QoS", () => {
  test("is read from the sample", () => {
    const text = readFileSync(`${ROOT}/manifests/memory-qos/memory-qos.yaml`, "utf8");
    expect(parse(text)).toEqual({ config: sample, warnings: [] } as never);
  });

  test.each<[string, string]>([
    ["JSON", JSON.stringify({ classes: [{ name: "a", swaplimitratio: 1e-1 }] })],
    ["the original's own spelling", "Classes:\n- Name: a\n  SwapLimitRatio: 0.1\nUnifiedAnnotations: []\n"],
    ["camel case", "classes: [{name: a, swapLimitRatio: 0.1}]\nunifiedAnnotations:\n"],
  ])("is read from %s", (_, text) => {
    expect(parse(text).config).toEqual({
      classes: [{ name: "a", swapLimitRatio: 0.1 }],
      unifiedAnnotations: [],
    });
  });

  test.each(["", "# nothing\n", "null", "{}", "classes:\nunifiedannotations:\n"])(
    "may be empty: %j",
    (text) => {
      expect(parse(text)).toEqual({ config: { classes: [], unifiedAnnotations: [] }, warnings: [] });
    },
  );

  test("has a maximum of swap for a class, and of each file that is an amount", () => {
    const files = "[memory.high, {file: memory.swap.max, max: 1Gi}, {FILE: memory.min, Max: max}]";
    expect(parse(`classes: [{name: a, max: max}]\nunifiedannotations: ${files}\n`).config).toEqual({
      classes: [{ name: "a", swapLimitRatio: 0, maxSwapBytes: Number.POSITIVE_INFINITY }],
      unifiedAnnotations: ["memory.high", "memory.swap.max", "memory.min"],
      maxBytes: { "memory.swap.max": 2 ** 30, "memory.min": Number.POSITIVE_INFINITY },
    });
  });

  test.each<[string, string]>([
    [
      "classes: [{name: a, max: lots}]",
      'qos.yaml:1: max: "lots" is neither a quantity of bytes, such as 8Gi, nor max',
    ],
    [
      "unifiedannotations: [{file: memory.high, max: -1}]",
      "qos.yaml:1: max: -1 is neither a quantity of bytes, such as 8Gi, nor max",
    ],
    [
      "unifiedannotations: [{file: memory.oom.group, max: 1}]",
      "qos.yaml:1: unifiedannotations: memory.oom.group is 0 or 1, and has no max",
    ],
    [
      "unifiedannotations: [{max: 1}]",
      "qos.yaml:1: unifiedannotations: null is not a writable memory file of a cgroup",
    ],
    [
      "unifiedannotations: [{file: memory.high, most: 1}]",
      'qos.yaml:1: unknown field "most": The fields are file, max',
    ],
  ])("with %s is refused", (text, complaint) => {
    expect(complaintsOf(text)).toEqual([expect.stringContaining(complaint)]);
  });

  test("reads a class without a ratio as one that sets nothing", () => {
    expect(parse("classes: [{name: off}]").config.classes).toEqual([{ name: "off", swapLimitRatio: 0 }]);
  });

  test("takes the first class of a name, and warns", () => {
    const text = "classes:\n- {name: a, swaplimitratio: 0.1}\n- {name: a, swaplimitratio: 0.2}\n";
    expect(parse(text)).toEqual({
      config: { classes: [{ name: "a", swapLimitRatio: 0.1 }], unifiedAnnotations: [] },
      warnings: ["qos.yaml:3: class a is defined twice: the first definition applies"],
    });
  });

  // The second one is 1 as a float32, which the original plugin uses.
  test.each(["1", "0.99999999"])("warns of a class that leaves no memory: %s", (ratio) => {
    const { config, warnings } = parse(`classes: [{name: a, swaplimitratio: ${ratio}}]`);
    expect(config.classes).toEqual([{ name: "a", swapLimitRatio: Number(ratio) }]);
    expect(warnings).toEqual([
      `qos.yaml:1: class a: a swaplimitratio of ${ratio} sets memory.high to one page, which stalls its containers`,
    ]);
  });
});

describe("an invalid configuration", () => {
  const ratio = (value: string) => `classes:\n- name: a\n  swaplimitratio: ${value}\n`;
  const files =
    "memory.high, memory.max, memory.low, memory.min, memory.swap.max, memory.swap.high, memory.zswap.max, " +
    "memory.zswap.writeback, memory.oom.group";

  test.each<[string, string, string]>([
    ["a ratio above 1", ratio("1.01"), "qos.yaml:3: swaplimitratio: 1.01 is not a number from 0 to 1"],
    ["a ratio below 0", ratio("-0.1"), "qos.yaml:3: swaplimitratio: -0.1 is not a number from 0 to 1"],
    [
      "a ratio that is not a number",
      ratio(".nan"),
      "qos.yaml:3: swaplimitratio: NaN is not a number from 0 to 1",
    ],
    ["an infinite ratio", ratio(".inf"), "qos.yaml:3: swaplimitratio: Infinity is not a number from 0 to 1"],
    ["a percentage", ratio("50%"), 'qos.yaml:3: swaplimitratio: "50%" is not a number from 0 to 1'],
    ["a ratio in quotes", ratio('"0.5"'), 'qos.yaml:3: swaplimitratio: "0.5" is not a number from 0 to 1'],
    ["a null ratio", ratio(""), "qos.yaml:3: swaplimitratio: null is not a number from 0 to 1"],
    [
      "an unknown field",
      "clases: []",
      'qos.yaml:1: unknown field "clases": did you mean classes? The fields are classes, unifiedannotations',
    ],
    [
      "an unknown field of a class",
      "classes:\n- name: a\n  swapratio: 1\n",
      'qos.yaml:3: unknown field "swapratio": The fields are name, swaplimitratio',
    ],
    ["a field twice", "classes: []\nClasses: []\n", "qos.yaml:2: Classes is set a second time"],
    [
      "a class without a name",
      "classes: [{swaplimitratio: 0.1}]",
      "qos.yaml:1: name is missing: a class needs one",
    ],
    ["a name that is not a string", "classes: [{name: 1}]", "qos.yaml:1: name: 1 is not a non-empty string"],
    ["an empty name", 'classes: [{name: ""}]', 'qos.yaml:1: name: "" is not a non-empty string'],
    [
      "a class that is a word",
      "classes: [bronze]",
      'qos.yaml:1: "bronze" is not a class: its fields are name, swaplimitratio',
    ],
    ["classes that are not a list", "classes: {name: a}", 'qos.yaml:1: classes: {"name":"a"} is not a list'],
    [
      "a list",
      "- a\n",
      'qos.yaml:1: ["a"] is not the configuration: its fields are classes, unifiedannotations',
    ],
    [
      "a misspelled file",
      "unifiedannotations: [memory.hihg]",
      `qos.yaml:1: unifiedannotations: "memory.hihg" is not a writable memory file of a cgroup: did you mean memory.high? The files are ${files}`,
    ],
    [
      "a file of another controller",
      "unifiedannotations: [io.max]",
      `qos.yaml:1: unifiedannotations: "io.max" is not a writable memory file of a cgroup: The files are ${files}`,
    ],
    [
      "a list in the list",
      "unifiedannotations: [[memory.high]]",
      'qos.yaml:1: unifiedannotations: ["memory.high"] is not a writable memory file',
    ],
    [
      "an alias",
      "classes: [&a {name: a}, *a]",
      "qos.yaml:1: *a: aliases are not supported, write the value itself",
    ],
    ["two documents", "classes: []\n---\nclasses: []\n", "qos.yaml:2: more than one document in the file"],
    ["text that is not YAML", "classes: [", "qos.yaml:1: "],
  ])("%s", (_, text, complaint) => {
    const [first = ""] = complaintsOf(text);
    expect(first).toStartWith(complaint);
  });

  test("has all its complaints reported", () => {
    const text =
      "classes:\n- {name: a, swaplimitratio: 2}\n- {swaplimitratio: 3}\nunifiedannotations: [x]\nfoo: 1\n";
    expect(complaintsOf(text).map((line) => line.split(":")[1])).toEqual(["5", "2", "3", "3", "4"]);
  });
});

test("arbitrary text is refused with its place, or gives valid classes", () => {
  const key = fc.constantFrom(
    "classes",
    "Classes",
    "unifiedannotations",
    "name",
    "swaplimitratio",
    "foo",
    "",
  );
  const leaf = fc.oneof(fc.constantFrom("a", "memory.high"), fc.double(), fc.constant(null), fc.boolean());
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(key, tie("value"), { maxKeys: 3 }),
    ),
  }));
  const text = fc.oneof(
    fc.string(),
    value.map((any) => stringify(any)),
    fc
      .array(
        fc.constantFrom("classes:", "- ", "name: a", "\n", "  ", "{", "]", "&a", "*a", "!!x", "0.5", "---"),
      )
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (written) => {
      let config: MemoryQosConfig;
      try {
        config = parse(written).config;
      } catch (error) {
        for (const line of (error as Error).message.split("\n")) expect(line).toMatch(/^qos\.yaml:\d+: ./);
        return;
      }
      for (const { name, swapLimitRatio } of config.classes) {
        expect(name).not.toBe("");
        expect(swapLimitRatio >= 0 && swapLimitRatio <= 1).toBe(true);
      }
      for (const file of config.unifiedAnnotations) expect(file).toStartWith("memory.");
    }),
    { numRuns: 3000 },
  );
});
