import { describe, expect, test } from "bun:test";
import { loadAgentConfig } from "../../../src/config/agent/load.ts";
import { formatConfig } from "../../../src/config/agent/print.ts";
import { DEFAULT_THRESHOLDS, waspAgentThresholds } from "../../../src/policy/eviction/default-thresholds.ts";

const FILE = "/etc/wasp/config.yaml";

function load(fields: string, env: Record<string, string> = {}) {
  const readFile = () => `apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\n${fields}`;
  return loadAgentConfig({ argv: ["--config", FILE], env, readFile });
}

/** Returns a file's field with a valid threshold and a second one with these differences from it. */
function thresholds(differences: Record<string, unknown>): string {
  const allOf = [{ signal: "memoryPressure", operator: ">=", value: "10%" }];
  const right = { name: "first", allOf, graceSeconds: 10, minClearSeconds: 60 };
  return `evictionThresholds: ${JSON.stringify([right, { ...right, name: "second", ...differences }])}\n`;
}

function condition(signal: string, value: unknown): Record<string, unknown> {
  return { allOf: [{ signal, operator: "<", value }] };
}

describe("a threshold in a file", () => {
  test("is read as a whole", () => {
    const unless = { signal: "swapSettling", operator: ">=", value: "10%" };
    const { config, sources } = load(thresholds({ hard: true, unless, onlyWithout: "memoryPressure" }));
    expect(config.evictionThresholds).toEqual([
      {
        name: "first",
        allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
        graceSeconds: 10,
        minClearSeconds: 60,
        isHard: false,
      },
      {
        name: "second",
        allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
        graceSeconds: 10,
        minClearSeconds: 60,
        isHard: true,
        unless: { signal: "swapSettling", operator: ">=", value: 0.1 },
        onlyWithout: "memoryPressure",
      },
    ]);
    expect(sources.evictionThresholds).toBe(`file ${FILE}`);
  });

  test.each<[string, unknown, number]>([
    ["memoryPressure", 0.1, 0.1],
    ["memoryPressure", "0.1", 0.1],
    ["memoryPressure", "10%", 0.1],
    ["memoryOvercommit", "120%", 1.2],
    ["swapInPagesPerSecond", 1000, 1000],
    ["swapInPagesPerSecond", "1000", 1000],
    ["memoryAvailableBytes", "100Mi", 104_857_600],
    ["memoryAvailableBytes", 4096, 4096],
    ["MEMORYPRESSURE", 1, 1],
  ])("has a value in its signal's unit: %s, %j", (signal, written, value) => {
    const [, threshold] = load(thresholds(condition(signal, written))).config.evictionThresholds;
    expect(threshold?.allOf.map((read) => read.value)).toEqual([value]);
  });

  test.each<[Record<string, unknown>, string]>([
    [condition("memoryPresure", 1), '[1].allOf[0].signal: "memoryPresure" is not one of swapUtilization, '],
    [condition("memoryPressure", "10Mi"), '[1].allOf[0].value: "10Mi" is not a fraction such as 0.1 or '],
    [condition("memoryPressure", -1), "[1].allOf[0].value: -1 is not a fraction"],
    [condition("memoryPressure", null), "[1].allOf[0].value: null is not a fraction"],
    [
      condition("swapOutPagesPerSecond", "10%"),
      '[1].allOf[0].value: "10%" is not a number of pages a second',
    ],
    [
      condition("memoryAvailableBytes", "10%"),
      '[1].allOf[0].value: "10%" is not a quantity of bytes, such as',
    ],
    [
      { allOf: [{ signal: "memoryPressure", operator: "=>", value: 1 }] },
      '[1].allOf[0].operator: "=>" is not one of >, >=, <, <=',
    ],
    [{ allOf: [{ signal: "memoryPressure", operator: ">" }] }, "[1].allOf[0].value: missing"],
    [{ allOf: [] }, "[1].allOf: [] has no condition, so the threshold would never be met"],
    [{ allOf: {} }, "[1].allOf: {} is not a list of conditions"],
    [{ name: "Second" }, '[1].name: "Second" is not a name of lower-case letters, digits and dashes'],
    [{ name: "first" }, ': "first" is the name of two thresholds'],
    [{ graceSeconds: 1.5 }, "[1].graceSeconds: 1.5 is not a whole number from 0 to 3600"],
    [{ hard: "no" }, '[1].hard: "no" is neither true nor false'],
    [
      { isHard: true },
      '[1].isHard: "isHard" is an unknown field: did you mean hard? The fields are name, allOf, ',
    ],
    [{ unless: [] }, "[1].unless"],
    [
      { unless: { signal: "swapSettling", operator: ">=", value: "10Mi" } },
      '[1].unless.value: "10Mi" is not a fraction such as 0.1 or ',
    ],
    [{ onlyWithout: "psi" }, '[1].onlyWithout: "psi" is not one of '],
  ])("%j is refused with its path", (differences, complaint) => {
    expect(() => load(thresholds(differences))).toThrow(`${FILE}:3: evictionThresholds${complaint}`);
  });

  test.each<[string, string]>([
    ["evictionThresholds: 3", "evictionThresholds: 3 is not a list of thresholds"],
    ["evictionThresholds: [3]", "evictionThresholds: 3 is not a threshold: its fields are name, allOf, "],
  ])("%s is refused", (field, complaint) => {
    expect(() => load(field)).toThrow(complaint);
  });

  test("has no flag", () => {
    const inputs = { argv: ["--eviction-thresholds=[]"], env: {}, readFile: () => "" };
    expect(() => loadAgentConfig(inputs)).toThrow("unknown flag --eviction-thresholds");
  });
});

describe("wasp-agent's variables", () => {
  test.each<[Record<string, string>, Parameters<typeof waspAgentThresholds>[0], number]>([
    [
      { SWAP_UTILIZATION_THRESHOLD_FACTOR: "0.5" },
      { utilizationFactor: 0.5, swapInPagesPerSecond: 1000, swapOutPagesPerSecond: 1000 },
      30,
    ],
    [
      {
        SWAP_UTILIZATION_THRESHOLD_FACTOR: "1",
        MAX_AVERAGE_SWAP_IN_PAGES_PER_SECOND: "200",
        MAX_AVERAGE_SWAP_OUT_PAGES_PER_SECOND: "0.5",
        AVERAGE_WINDOW_SIZE_SECONDS: "10",
      },
      { utilizationFactor: 1, swapInPagesPerSecond: 200, swapOutPagesPerSecond: 0.5 },
      10,
    ],
    [
      { AVERAGE_WINDOW_SIZE_SECONDS: "60" },
      { utilizationFactor: 0.8, swapInPagesPerSecond: 1000, swapOutPagesPerSecond: 1000 },
      60,
    ],
  ])("%j select its documented policy, instead of the file's", (env, limits, window) => {
    const { config, sources } = load("evictionThresholds: []\ntrafficWindowSeconds: 30\n", env);
    expect(config.evictionThresholds).toEqual([...waspAgentThresholds(limits)]);
    expect(config.trafficWindowSeconds).toBe(window);
    expect(sources.evictionThresholds).toBe(`environment ${Object.keys(env).join(", ")}`);
    expect(sources.trafficWindowSeconds).toContain(
      "AVERAGE_WINDOW_SIZE_SECONDS" in env ? "environment AV" : "file",
    );
    expect(config.evictionMode).toBe("Off");
    // The printed configuration can be loaded.
    const printed = formatConfig({ config, sources });
    expect(printed).toContain(`# environment ${Object.keys(env).join(", ")}\n  - name: swap-traffic\n`);
    expect(loadAgentConfig({ argv: ["--config=/c"], env: {}, readFile: () => printed }).config).toEqual(
      config,
    );
  });

  test("are reported as unused while eviction is off", () => {
    const env = { SWAP_UTILIZATION_THRESHOLD_FACTOR: "0.8", AVERAGE_WINDOW_SIZE_SECONDS: "30" };
    const empty = { MAX_AVERAGE_SWAP_IN_PAGES_PER_SECOND: "" };
    expect(load("", { ...env, ...empty }).unusedVariables).toEqual(Object.keys(env));
    expect(load("evictionMode: DryRun", env).unusedVariables).toEqual([]);
  });

  test("have no effect if empty", () => {
    const { config, sources } = load("", {
      SWAP_UTILIZATION_THRESHOLD_FACTOR: "",
      AVERAGE_WINDOW_SIZE_SECONDS: "",
    });
    expect(config.evictionThresholds).toEqual([...DEFAULT_THRESHOLDS]);
    expect(sources.evictionThresholds).toBe("default");
  });

  test.each<[string, string, string]>([
    ["SWAP_UTILIZATION_THRESHOLD_FACTOR", "80%", "is not a number such as 0.8 or 1000"],
    ["MAX_AVERAGE_SWAP_IN_PAGES_PER_SECOND", "-1", "is not a number such as 0.8 or 1000"],
    ["MAX_AVERAGE_SWAP_OUT_PAGES_PER_SECOND", "many", "is not a number such as 0.8 or 1000"],
    ["AVERAGE_WINDOW_SIZE_SECONDS", "0", "is not a whole number from 1 to 600"],
  ])("%s cannot be %s", (name, text, complaint) => {
    expect(() => load("", { [name]: text })).toThrow(`${name}: "${text}" ${complaint}`);
  });
});
