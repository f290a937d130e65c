import { expect, test } from "bun:test";
import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { formatOutcomes, summarize } from "../../../src/install/remote/report.ts";
import { ROOT } from "../../node/binary.ts";

const outcomes: readonly HostOutcome[] = [
  {
    ...{ host: "root@node1", result: "done", arch: "x64", exitStatus: 0, seconds: 12.3456 },
    output: [
      { stream: "stdout", text: '{"changed":' },
      { stream: "stderr", text: "slow" },
      { stream: "stdout", text: "3}" },
    ],
  },
  {
    ...{
      host: "ssh://admin@node2:2222",
      result: "failed",
      reason: "no connection: \x1b[2Jgone",
      seconds: 0.25,
    },
    output: [{ stream: "stdout", text: "\x1b[2J \u009b \u202e \u{e0001}" }],
  },
  {
    host: "node3",
    result: "stopped",
    reason: "stopped while copying",
    arch: "arm64",
    seconds: 1,
    output: [],
  },
  { host: "node4", result: "not-begun", seconds: 0, output: [] },
];

test("the summary is a table and a sentence", async () => {
  expect(summarize(outcomes)).toBe(await Bun.file(`${ROOT}/tests/golden/remote-summary.txt`).text());
  expect(summarize(outcomes.slice(0, 1))).toEndWith("\n\n1 of 1 hosts done\n");
});

test("the JSON document has the same outcomes, without control characters", () => {
  const json = formatOutcomes(outcomes);
  expect(json).not.toMatch(/[^\n\P{C}]/u);
  expect(JSON.parse(json)).toEqual({
    hosts: [
      {
        ...{ host: "root@node1", result: "done", arch: "x64", exitStatus: 0, seconds: 12.346 },
        ...{ report: { changed: 3 }, stderr: "slow\n" },
      },
      {
        ...{
          host: "ssh://admin@node2:2222",
          result: "failed",
          reason: "no connection: \x1b[2Jgone",
          seconds: 0.25,
        },
        ...{ stdout: "\x1b[2J \u009b \u202e \u{e0001}\n", stderr: "" },
      },
      {
        ...{ host: "node3", result: "stopped", reason: "stopped while copying", arch: "arm64", seconds: 1 },
        ...{ stdout: "", stderr: "" },
      },
      { host: "node4", result: "not-begun", seconds: 0, stdout: "", stderr: "" },
    ],
  });
});
