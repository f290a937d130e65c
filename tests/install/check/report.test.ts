import { describe, expect, test } from "bun:test";
import { runChecks } from "../../../src/install/check/all-checks.ts";
import { findingsAsData, reportFindings } from "../../../src/install/check/report.ts";
import type { Finding } from "../../../src/install/finding/finding.ts";
import { GI } from "../../policy/eviction/snapshots.ts";
import { factsWith, SOUND } from "./sound-facts.ts";

const GOLDEN = `${import.meta.dir}/../../golden`;

// A node on which somebody has turned swap on, and no more.
const HALF_DONE: readonly Finding[] = runChecks({
  ...factsWith({
    swaps: [{ name: "/swapfile", medium: "file", sizeBytes: 8 * GI, usedBytes: 0, priority: -2 }],
    swapStacks: new Map([["/swapfile", SOUND.rootStack]]),
    swapsAtBoot: { paths: [], hasZramService: false },
    hookFiles: [],
    binary: { path: "/usr/local/bin/wasp", owned: [], run: undefined },
    systemSlice: { swapMax: "max", ioLatency: "" },
    systemSliceFiles: [],
    agentPid: undefined,
  }),
  kubelet: { unknown: "/var/lib/kubelet/config.yaml cannot be read as YAML: Unexpected token" },
});

describe("the report of a check", () => {
  test("for people", async () => {
    expect(reportFindings(HALF_DONE)).toBe(await Bun.file(`${GOLDEN}/install-check.txt`).text());
  });

  test("for programs", async () => {
    const golden: unknown = await Bun.file(`${GOLDEN}/install-check.json`).json();
    expect(JSON.parse(JSON.stringify(findingsAsData(HALF_DONE)))).toEqual(golden);
  });

  test("marks each finding's severity, and keeps its columns", () => {
    const marked = reportFindings(HALF_DONE, (severity, word) => `<${severity}>${word}</>`);
    expect(marked).toContain("<error>error</>    binary ");
    expect(marked.replace(/<\/?\w*>/g, "")).toBe(reportFindings(HALF_DONE));
  });

  test("keeps another program's words to one line, and harmless", () => {
    const found = "wasp: exit status 1: \u001b[2Jline one\n  line two";
    const report = reportFindings([{ id: "binary", severity: "error", found, right: "", remedy: "x" }]);
    expect(report).toContain("error    binary  wasp: exit status 1: ?[2Jline one / line two\n");
  });

  test("of nothing but what is sound", () => {
    const report = reportFindings(runChecks(factsWith({})));
    expect(report.split("\n")[0]).toMatch(/^0 errors, 0 warnings, 0 unknown, 0 notes, \d+ ok$/);
    expect(report).not.toContain("remedy");
  });
});
