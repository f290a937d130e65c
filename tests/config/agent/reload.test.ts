import { expect, test } from "bun:test";
import type { AgentKnob } from "../../../src/config/agent/knobs.ts";
import { loadAgentConfig } from "../../../src/config/agent/load.ts";
import { RELOADABLE_KNOBS, reloadConfig } from "../../../src/config/agent/reload.ts";

function load(fields: string) {
  const readFile = () => `apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\n${fields}`;
  return loadAgentConfig({ argv: ["--config=/config.yaml"], env: {}, readFile });
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
