import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decideMemoryQos,
  type MemoryQosConfig,
  memoryHighOf,
} from "../../../src/policy/memory-qos/classes.ts";

const GI = 2 ** 30;
const config: MemoryQosConfig = {
  classes: [
    { name: "bronze", swapLimitRatio: 0.5 },
    { name: "silver", swapLimitRatio: 0.2 },
    { name: "asis", swapLimitRatio: 0 },
  ],
  unifiedAnnotations: ["memory.swap.max", "memory.high"],
};

type Annotations = Readonly<Record<string, string>>;

function decide(annotations: Annotations, memoryLimitBytes: number | undefined = GI, of = config) {
  return decideMemoryQos("app", annotations, memoryLimitBytes, of);
}

// Results of a C compiler for (int64_t)((float)limit * (1.0f - ratio)), with a float ratio.
describe("memory.high of a class", () => {
  test.each<[number, number, string]>([
    [GI, 0.5, "536870912"],
    [GI, 0.2, "858993472"],
    [4 * GI, 0.2, "3435973888"],
    [4 * GI, 0.3, "3006477056"],
    [4 * GI, 0.75, "1073741824"],
    [7 * GI, 0.9, "751619456"],
    [200_000_000_000, 0.15, "170000007168"],
    [GI, 0.1, "966367616"],
    [100_000_000, 0.2, "80000000"],
    [123_456_789, 0.3, "86419752"],
    [8192, 0.5, "4096"],
    [2 ** 63, 0.2, "7378697739434983424"],
  ])("%d bytes at %d", (limitBytes, ratio, high) => {
    expect(memoryHighOf(limitBytes, ratio)).toBe(high);
  });

  test.each([
    [GI, 1],
    [1, 0.2],
    [8192, 0.51],
  ])("is a page where %d bytes at %d give less", (limitBytes, ratio) => {
    expect(memoryHighOf(limitBytes, ratio)).toBe("4096");
  });

  test("is the remaining fraction of the limit, but for the rounding of float32", () => {
    const limits = fc.integer({ min: 1, max: 2 ** 50 });
    fc.assert(
      fc.property(limits, fc.double({ min: 0, max: 1, noNaN: true }), (limitBytes, ratio) => {
        const high = Number(memoryHighOf(limitBytes, ratio));
        const share = Math.max(limitBytes * (1 - ratio), 4096);
        expect(Math.abs(high - share)).toBeLessThanOrEqual(limitBytes * 2 ** -22 + 1);
      }),
    );
  });

  test("does not increase with the ratio", () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), ratio, ratio, (limitBytes, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(Number(memoryHighOf(limitBytes, more))).toBeLessThanOrEqual(
          Number(memoryHighOf(limitBytes, less)),
        );
      }),
    );
  });
});

describe("a container gets", () => {
  const bronze = { "memory.high": "536870912", "memory.swap.max": "max" };

  test.each<[string, Annotations, object]>([
    ["nothing without an annotation", {}, {}],
    [
      "the class of its pod",
      { "class.memory-qos.nri.io": "bronze" },
      { className: "bronze", ofClass: bronze },
    ],
    [
      "its own class before its pod's",
      { "class.memory-qos.nri.io/app": "bronze", "class.memory-qos.nri.io": "silver" },
      { className: "bronze", ofClass: bronze },
    ],
    [
      "no class if its own is empty",
      { "class.memory-qos.nri.io": "bronze", "class.memory-qos.nri.io/app": "" },
      {},
    ],
    ["no class if its pod's is empty", { "class.memory-qos.nri.io": "" }, {}],
    [
      "nothing from another container's annotation",
      { "class.memory-qos.nri.io/other": "gold", "memory.high.memory-qos.nri.io/xapp": "-" },
      {},
    ],
    ["a class that changes nothing", { "class.memory-qos.nri.io": "asis" }, { className: "asis" }],
    [
      "a file of its pod's annotation",
      { "memory.high.memory-qos.nri.io": "512Mi" },
      { direct: { "memory.high": "536870912" } },
    ],
    [
      "its own file before its pod's",
      { "memory.high.memory-qos.nri.io": "1Gi", "memory.high.memory-qos.nri.io/app": "10000" },
      { direct: { "memory.high": "10000" } },
    ],
    [
      "no file if its own is empty",
      { "memory.high.memory-qos.nri.io": "1Gi", "memory.high.memory-qos.nri.io/app": "" },
      {},
    ],
    [
      "a file together with its class",
      { "memory.swap.max.memory-qos.nri.io": "0", "class.memory-qos.nri.io": "bronze" },
      { className: "bronze", ofClass: bronze, direct: { "memory.swap.max": "0" } },
    ],
    [
      "nothing from a similar annotation",
      { "class.xmemory-qos.nri.io": "bronze", "memory-qos.nri.io": "x" },
      {},
    ],
  ])("%s", (_, annotations, expected) => {
    expect(decide(annotations)).toEqual({
      isSwapBounded: { ofClass: false, direct: false },
      className: undefined,
      ofClass: {},
      direct: {},
      problems: [],
      ...expected,
    });
  });

  test("does not depend on the order of the annotations", () => {
    const entries = Object.entries({
      "class.memory-qos.nri.io": "bronze",
      "class.memory-qos.nri.io/app": "silver",
      "memory.high.memory-qos.nri.io": "1Gi",
      "memory.high.memory-qos.nri.io/app": "",
      "memory.swap.max.memory-qos.nri.io/other": "x",
    });
    const expected = decide(Object.fromEntries(entries));
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (shuffled) => {
        expect(decide(Object.fromEntries(shuffled))).toEqual(expected);
      }),
    );
  });

  test("needs no memory limit for a class that sets nothing", () => {
    expect(decideMemoryQos("app", { "class.memory-qos.nri.io": "asis" }, undefined, config).problems).toEqual(
      [],
    );
  });
});

describe("an annotation that cannot be applied", () => {
  test.each<[string, Annotations, string, string]>([
    [
      "an unknown class",
      { "class.memory-qos.nri.io": "gold" },
      "unknown-class",
      'class.memory-qos.nri.io: "gold" is not a class of this node (classes: bronze, silver, asis)',
    ],
    [
      "a class in another case",
      { "class.memory-qos.nri.io/app": "Bronze" },
      "unknown-class",
      'class.memory-qos.nri.io/app: "Bronze" is not a class of this node (classes: bronze, silver, asis)',
    ],
    [
      "a file that is not listed",
      { "memory.oom.group.memory-qos.nri.io": "1" },
      "file-not-listed",
      'memory.oom.group.memory-qos.nri.io: "1" may not be set by a pod on this node (allowed: memory.swap.max, memory.high)',
    ],
    [
      "an unknown file",
      { "cpu.max.memory-qos.nri.io": "max" },
      "unknown-annotation",
      'cpu.max.memory-qos.nri.io: "max" is for no known setting: the annotation may begin with class, memory.high, memory.max, ' +
        "memory.low, memory.min, memory.swap.max, memory.swap.high, memory.zswap.max, memory.zswap.writeback, memory.oom.group",
    ],
    [
      "a property of Object.prototype",
      { "toString.memory-qos.nri.io": "1" },
      "unknown-annotation",
      'toString.memory-qos.nri.io: "1" is for no known setting',
    ],
  ])("%s", (_, annotations, reason, message) => {
    const { ofClass, direct, problems } = decide(annotations);
    expect({ ofClass, direct }).toEqual({ ofClass: {}, direct: {} });
    expect(problems).toMatchObject([{ reason, annotation: Object.keys(annotations)[0] }]);
    expect(problems[0]?.message).toStartWith(message);
  });

  test("is a class without a memory limit", () => {
    expect(
      decideMemoryQos("app", { "class.memory-qos.nri.io": "bronze" }, undefined, config).problems,
    ).toEqual([
      {
        reason: "class-without-memory-limit",
        annotation: "class.memory-qos.nri.io",
        message:
          'class.memory-qos.nri.io: "bronze" needs a memory limit: set resources.limits.memory, ' +
          'or exclude this container with class.memory-qos.nri.io/app: ""',
      },
    ]);
  });

  test("may name no class or file on a node without any", () => {
    const none = { classes: [], unifiedAnnotations: [] };
    const annotations = { "class.memory-qos.nri.io": "bronze", "memory.high.memory-qos.nri.io": "0" };
    expect(decide(annotations, GI, none).problems.map(({ message }) => message)).toEqual([
      'class.memory-qos.nri.io: "bronze" is not a class of this node (classes: none)',
      'memory.high.memory-qos.nri.io: "0" may not be set by a pod on this node (allowed: none)',
    ]);
  });

  test("leaves the others in effect, and is reported besides", () => {
    const { className, direct, problems } = decide({
      "class.memory-qos.nri.io": "bronze",
      "memory.high.memory-qos.nri.io": "lots",
      "memory.swap.max.memory-qos.nri.io": "1Gi",
      "foo.memory-qos.nri.io": "bar",
    });
    expect({ className, direct }).toEqual({ className: "bronze", direct: { "memory.swap.max": `${GI}` } });
    expect(problems.map(({ reason }) => reason)).toEqual(["wrong-value", "unknown-annotation"]);
  });

  test("is shown in a message of bounded length", () => {
    const [problem] = decide({ "class.memory-qos.nri.io": "x".repeat(200_000) }).problems;
    expect(problem?.message.length).toBeLessThan(300);
  });
});
