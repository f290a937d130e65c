import { describe, expect, test } from "bun:test";
import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { type Progress, progressOn, type ShownOutput } from "../../../src/install/remote/progress.ts";
import { ROOT } from "../../node/binary.ts";

const MEBIBYTE = 1024 ** 2;

/** Returns the writes to a terminal, separated by lines of dashes and with visible escapes. */
function shownOn(
  window: { columns: number; rows: number },
  shown: ShownOutput,
  act: (progress: Progress) => void,
): string {
  const writes: string[] = [];
  const terminal = { ...window, isTerminal: true, write: (text: string) => writes.push(text) };
  act(progressOn(terminal, [done.host, failed.host, "node3", "node4"], shown));
  return writes.map((text) => `${text.replaceAll("\x1b", "ESC")}----\n`).join("");
}

const copying = (sentBytes: number) => ({ is: "copying", sentBytes, totalBytes: 110 * MEBIBYTE }) as const;

const done: HostOutcome = {
  host: "root@node1",
  result: "done",
  exitStatus: 0,
  seconds: 12.34,
  output: [{ stream: "stdout", text: "swap: 4 GiB in /var/lib/wasp/swapfile" }],
};

const failed: HostOutcome = {
  host: "admin@node2.example.com",
  result: "failed",
  reason: "wasp ended with 1: \x1b[31mthe disk is full",
  exitStatus: 1,
  seconds: 3,
  output: [{ stream: "stderr", text: "\x1b[31mthe disk is full\u202e" }],
};

describe("on a terminal", () => {
  const act = (progress: Progress) => {
    progress.update(done.host, { is: "connecting" });
    progress.update(failed.host, { is: "connecting" });
    for (const sent of [0, 44, 44.1, 109.9]) progress.update(done.host, copying(sent * MEBIBYTE));
    progress.update(failed.host, { is: "running" });
    progress.finish(failed);
    progress.update("node3", { is: "connecting" });
    progress.update(done.host, { is: "running" });
    progress.finish(done);
    progress.end();
  };

  test("active hosts have a line each, which is redrawn", async () => {
    const golden = await Bun.file(`${ROOT}/tests/golden/remote-terminal.txt`).text();
    expect(shownOn({ columns: 80, rows: 24 }, "failed", act)).toBe(golden);
  });

  test("the output of all hosts, or of none, is shown on request", () => {
    expect(shownOn({ columns: 80, rows: 24 }, "all", act)).toContain("root@node1:   swap: 4 GiB in");
    expect(shownOn({ columns: 80, rows: 24 }, "none", act)).not.toContain("node2.example.com:   ");
  });

  test("lines are cut to the width and the height of the window", () => {
    const shown = shownOn({ columns: 30, rows: 4 }, "none", (progress) => {
      for (const host of [done.host, failed.host, "node3", "node4"])
        progress.update(host, { is: "connecting" });
    });
    const last = shown.split("----\n").at(-2)?.split("\n").slice(0, -1);
    expect(last).toEqual([
      "ESC[2AESC[Jroot@node1               conn",
      "admin@node2.example.com  conn",
      "0 of 4 hosts finished, 0 fail",
    ]);
  });
});
