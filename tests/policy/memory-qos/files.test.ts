import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decideMemoryQos, type MemoryQosConfig } from "../../../src/policy/memory-qos/classes.ts";

const config: MemoryQosConfig = {
  classes: [{ name: "bronze", swapLimitRatio: 0.5 }],
  unifiedAnnotations: [
    "memory.high",
    "memory.max",
    "memory.low",
    "memory.min",
    "memory.swap.max",
    "memory.swap.high",
    "memory.zswap.max",
    "memory.zswap.writeback",
    "memory.oom.group",
  ],
};

function decide(annotations: Readonly<Record<string, string>>) {
  return decideMemoryQos("app", annotations, 2 ** 30, config);
}

describe("a file's value", () => {
  test.each<[string, string, string]>([
    ["memory.high", "max", "max"],
    ["memory.high", "1e19", "max"],
    ["memory.low", "0", "0"],
    ["memory.swap.max", "0", "0"],
    ["memory.high", " 4096 ", "4096"],
    ["memory.max", "1.5Gi", "1610612736"],
    ["memory.low", "64M", "64000000"],
    ["memory.min", "1e3", "1000"],
    ["memory.swap.high", "1Ki", "1024"],
    ["memory.zswap.max", "10k", "10000"],
    ["memory.oom.group", "1", "1"],
    ["memory.zswap.writeback", "0", "0"],
  ])("%s: %j is written as %s", (file, value, written) => {
    const { direct, problems } = decide({ [`${file}.memory-qos.nri.io`]: value });
    expect({ direct, problems }).toEqual({ direct: { [file]: written }, problems: [] });
  });

  const limit = "is not max, or a quantity of bytes such as 512Mi";
  const memory = `${limit}, of a page (4096) or more`;
  test.each<[string, string, string]>([
    ["memory.high", "-1", memory],
    ["memory.high", "MAX", memory],
    ["memory.high", "512m", memory],
    ["memory.high", "512K", memory],
    ["memory.high", "NaN", memory],
    ["memory.high", "0", memory],
    ["memory.max", "4095", memory],
    ["memory.swap.max", "50%", limit],
    ["memory.swap.max", "1Gi\n0", limit],
    ["memory.oom.group", "2", "is not 0 or 1"],
    ["memory.oom.group", "max", "is not 0 or 1"],
    ["memory.oom.group", "true", "is not 0 or 1"],
  ])("%s: %j is refused", (file, value, complaint) => {
    const annotation = `${file}.memory-qos.nri.io`;
    expect(decide({ [annotation]: value })).toMatchObject({
      direct: {},
      problems: [
        {
          reason: "wrong-value",
          annotation,
          message: `${annotation}: ${JSON.stringify(value)} ${complaint}`,
        },
      ],
    });
  });
});

test("for any annotations only memory settings are written, in the kernel's format", () => {
  const name = fc.oneof(fc.constantFrom("class", ...config.unifiedAnnotations), fc.string());
  const key = fc
    .tuple(name, fc.constantFrom("", "/app", "/other"))
    .map(([first, last]) => `${first}.memory-qos.nri.io${last}`);
  const value = fc.oneof(fc.constantFrom("max", "1", "64Mi", "bronze", ""), fc.string());
  fc.assert(
    fc.property(fc.dictionary(key, value), (annotations) => {
      const { ofClass, direct } = decide(annotations);
      for (const [file, written] of Object.entries({ ...ofClass, ...direct })) {
        expect(config.unifiedAnnotations).toContain(file as never);
        expect(written).toMatch(/^(max|\d{1,16})$/);
      }
    }),
  );
});
