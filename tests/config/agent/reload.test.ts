import { expect, test } from "bun:test";
import type { AgentKnob } from "../../../src/config/agent/knobs.ts";
import { loadAgentConfig } from "../../../src/config/agent/load.ts";
import { type OverriddenChange, RELOADABLE_KNOBS, reloadConfig } from "../../../src/config/agent/reload.ts";

function load(fields: string, argv: readonly string[] = [], env: Record<string, string> = {}) {
  const readFile = () => `apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\n${fields}`;
  return loadAgentConfig({ argv: ["--config=/config.yaml", ...argv], env, readFile });
}

test.each<[string, string, Record<string, unknown>, AgentKnob[]]>([
  ["", "", { verbosity: 2 }, []],
  ["", "verbosity: 4", { verbosity: 4 }, []],
  ["verbosity: 4", "", { verbosity: 2 }, []],
  ["", "excludeNamespaces: [a]\ndryRun: true", { excludeNamespaces: ["a"], dryRun: true }, []],
  ["nodeSwapLimit: max", "", {}, []],
  ["evictionThresholds: []", "evictionMode: Enforce", { evictionMode: "Enforce" }, []],
  ["", "httpPort: 1\nverbosity: 4\nnodeName: n", { httpPort: 9809, verbosity: 4 }, ["nodeName", "httpPort"]],
  ["nodeName: n", "", { nodeName: "n" }, ["nodeName"]],
  // The same value from another source needs no restart.
  ["", "httpPort: 9809", { httpPort: 9809 }, []],
])("from %p to %p", (before, after, expected, awaitingRestart) => {
  const running = load(before);
  const loaded = load(after);
  const reload = reloadConfig(running, loaded);
  expect(reload.config).toMatchObject(expected);
  expect(Object.isFrozen(reload.config)).toBe(true);
  expect(reload.awaitingRestart).toEqual(awaitingRestart);
  for (const knob of Object.keys(running.sources) as AgentKnob[]) {
    const isReloadable = (RELOADABLE_KNOBS as readonly AgentKnob[]).includes(knob);
    expect(reload.sources[knob]).toBe((isReloadable ? loaded : running).sources[knob]);
    expect(reload.config[knob]).toEqual((isReloadable ? loaded : running).config[knob]);
  }
});

test.each<[string, string, AgentKnob[]]>([
  ["", "", []],
  ["", "verbosity: 4", ["verbosity"]],
  ["verbosity: 4", "", ["verbosity"]],
  ["verbosity: 2", "", []],
  ["excludeNamespaces: [a, b]", "excludeNamespaces: [a, b]", []],
  ["excludeNamespaces: [a, b]", "excludeNamespaces: [b, a]", ["excludeNamespaces"]],
  [
    "memoryQos: { classes: [{ name: a }] }",
    "memoryQos: { classes: [{ name: b }] }\nevictionThresholds: []",
    ["evictionThresholds", "memoryQos"],
  ],
  ["nodeSwapLimit: max", "", ["nodeSwapLimitBytes"]],
  // Awaits a restart.
  ["", "httpPort: 1", []],
])("from %p to %p changes the knobs in force", (before, after, changed) => {
  expect(reloadConfig(load(before), load(after)).changed).toEqual(changed);
});

const FLAG = ["--eviction-mode=Enforce"];
const held = (fileValue: string) => ({
  knob: "evictionMode" as const,
  fileValue,
  value: "Enforce",
  source: "flag --eviction-mode",
});

test.each<[string, string, OverriddenChange[]]>([
  ["evictionMode: Enforce", "evictionMode: DryRun", [held("DryRun")]],
  ["", "evictionMode: DryRun", [held("DryRun")]],
  // Without the field, the file stands for the default.
  ["evictionMode: Enforce", "", [held("Off")]],
  ["evictionMode: Off", "", []],
  ["evictionMode: Off", "evictionMode: Off\nverbosity: 4", []],
  // Here the flag makes no difference.
  ["evictionMode: Off", "evictionMode: Enforce", []],
])("from %p to %p overridden changes are reported", (before, after, overridden) => {
  const reload = reloadConfig(load(before, FLAG), load(after, FLAG));
  expect(reload.overridden).toEqual(overridden);
  expect(reload.config.evictionMode).toBe("Enforce");
  expect(reload.changed).not.toContain("evictionMode");
  // What was reported once is not reported again.
  expect(reloadConfig(reload, load(after, FLAG)).overridden).toEqual([]);
});

test("a change that a variable overrides is reported", () => {
  const env = { NODE_NAME: "worker-1", SWAP_UTILIZATION_THRESHOLD_FACTOR: "0.9" };
  const after = "nodeName: worker-2\nevictionThresholds: []";
  const { overridden } = reloadConfig(load("", [], env), load(after, [], env));
  expect(overridden).toEqual([
    {
      knob: "evictionThresholds",
      fileValue: "[]",
      value: expect.stringContaining('"value":"90%"'),
      source: "environment SWAP_UTILIZATION_THRESHOLD_FACTOR",
    },
    { knob: "nodeName", fileValue: "worker-2", value: "worker-1", source: "environment NODE_NAME" },
  ]);
});
