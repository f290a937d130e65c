import { expect, test } from "bun:test";
import {
  DEFAULT_THRESHOLDS,
  WASP_AGENT_LIMITS,
  waspAgentThresholds,
} from "../../src/policy/eviction/default-thresholds.ts";
import type { Threshold } from "../../src/policy/eviction/threshold.ts";
import { reportComparison } from "../../src/trace/compare-report.ts";
import { TRACE_VERSION } from "../../src/trace/format.ts";
import { Replay } from "../../src/trace/replay.ts";
import { replaysAsJson } from "../../src/trace/replay-json.ts";
import { type NamedReplay, reportReplay } from "../../src/trace/replay-report.ts";
import { ROOT } from "../node/binary.ts";
import { GI } from "../policy/eviction/snapshots.ts";
import { flappingSnapshots, hogSnapshots } from "./hog.ts";
import { HEADER } from "./recordings.ts";

const WIDTH = 100;
const golden = (name: string) => Bun.file(`${ROOT}/tests/golden/${name}.txt`).text();

const recording = {
  file: "hog.jsonl",
  header: { trace: TRACE_VERSION, ...HEADER },
  samples: 241,
  seconds: 240,
  memoryTotalBytes: 4 * GI,
  swapTotalBytes: GI,
  pods: 2,
  containers: 2,
  notes: ["the file ends in the midst of line 244, after 4:00 of the recording: the rest is missing"],
} as const;

function replayOf(
  name: string,
  evictionMode: "Off" | "Enforce",
  evictionThresholds: readonly Threshold[],
  snapshots = hogSnapshots(),
): NamedReplay {
  const replay = new Replay({
    ...{
      evictionMode,
      evictionThresholds,
      trafficWindowSeconds: 30,
      cooldownSeconds: 60,
      victimDeadlineSeconds: 300,
    },
    ...{ maxEvictionsPerHour: 6, lastResort: "None", excludeNamespaces: [], ownPodUid: undefined },
    ...{ evictionOptOut: "WithinRequests", evictionOptOutNamespaces: ["*"] },
  });
  for (const snapshot of snapshots) replay.take(snapshot);
  return { name, evictionMode, thresholds: evictionThresholds.map((threshold) => threshold.name), replay };
}

const byDefault = replayOf("defaults", "Off", DEFAULT_THRESHOLDS);
const asWaspAgent = replayOf("wasp-agent.yaml", "Enforce", waspAgentThresholds(WASP_AGENT_LIMITS));

test("a replay is reported with a plot and a table", async () => {
  expect(reportReplay(recording, byDefault, WIDTH)).toBe(await golden("replay"));
});

test("the README's excerpt is what a replay prints", async () => {
  const readme = await Bun.file(`${ROOT}/README.md`).text();
  const [, excerpt = ""] = /^```\n(swap in use .*?)^```$/ms.exec(readme) ?? [];
  const printed = reportReplay(recording, byDefault, WIDTH).split("\n");
  const lines = excerpt.trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(8);
  expect(lines.filter((line) => !printed.includes(line))).toEqual([]);
});

test("two replays are reported side by side", async () => {
  expect(reportComparison(recording, [byDefault, asWaspAgent], WIDTH)).toBe(await golden("replay-compare"));
});

test("decisions that flap are one line, and all of them are in the JSON document", async () => {
  const busy: Threshold = {
    ...{ name: "busy", allOf: [{ signal: "swapUtilization", operator: ">", value: 0.5 }] },
    ...{ graceSeconds: 30, minClearSeconds: 10, isHard: false },
  };
  const flapping = { ...recording, file: "flapping.jsonl", samples: 181, seconds: 180, notes: [] };
  const a = replayOf("busy.yaml", "Enforce", [busy], flappingSnapshots());
  const b = replayOf("never.yaml", "Enforce", [], flappingSnapshots());
  const table = (report: string) => report.slice(report.indexOf("\nFROM") + 1);
  const reports = [reportReplay(flapping, a, WIDTH), reportComparison(flapping, [a, b], WIDTH)];
  expect(reports.map(table).join("\n")).toBe(await golden("replay-flapping"));
  const document = JSON.parse(replaysAsJson(flapping, [a], false));
  expect(document.replays[0].decisions).toHaveLength(a.replay.phases.length);
});

test("the plot fills the width", () => {
  for (const width of [60, 100, 200]) {
    const plot = reportReplay(recording, byDefault, width)
      .split("\n")
      .filter((line) => /[┤│└]/.test(line));
    expect(plot).toHaveLength(23);
    expect(Math.max(...plot.map(({ length }) => length))).toBe(width);
  }
});

test("a replay without an eviction has no hypothetical decisions", () => {
  const report = reportReplay(recording, replayOf("none.yaml", "Enforce", []), WIDTH);
  expect(report).not.toContain("the decisions are hypothetical");
  expect(report).toEndWith(
    `
FROM  FOR      DECISION          WHY
0:00  240 s    hold not-pressed  no threshold is met: stall unknown, swap 10 % full
`,
  );
});
