import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { ROOT } from "../node/binary.ts";
import { GI, MI, podOf, sampleOf, snapshotAt } from "../policy/eviction/snapshots.ts";
import { HOG, hogSnapshots } from "../trace/hog.ts";
import { recordingOf } from "../trace/recordings.ts";
import { judgeFolder } from "./judged.ts";
import { type Judgement, judge, parseTruth, type Truth } from "./truth.ts";

/**
 * Recording of five minutes of a node with this stalled fraction and this free swap; pod a uses most memory, pod b most
 * swap.
 */
function steadily(stall: number, left: { swapFreeBytes: number; memoryAvailableBytes: number }): Snapshot[] {
  const pods = [podOf("a"), podOf("b")];
  const containers = [sampleOf("a", { memoryBytes: GI }), sampleOf("b", { swapBytes: GI / 2 })];
  return Array.from({ length: 301 }, (_, second) => {
    const moment = { ...left, stallMicroseconds: stall * second * 1e6 };
    const snapshot = snapshotAt(second, moment, pods, containers);
    const { kubepods } = snapshot;
    if (kubepods?.memoryPressure?.full === undefined) throw new Error("the snapshot has no pressure");
    const full = { ...kubepods.memoryPressure.full, avg10Percent: stall * 100 };
    return { ...snapshot, kubepods: { ...kubepods, memoryPressure: { ...kubepods.memoryPressure, full } } };
  });
}

/** Files in a temporary directory, until it is disposed of. */
class Recordings implements Disposable {
  readonly folder = mkdtempSync(`${tmpdir()}/wasp-traces-`);

  add(name: string, content: string | Uint8Array): void {
    writeFileSync(`${this.folder}/${name}`, content);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

const plenty = { swapFreeBytes: GI / 2, memoryAvailableBytes: GI };
const nothing = { swapFreeBytes: 10 * MI, memoryAvailableBytes: 50 * MI };

test("each rule is judged on each recording", async () => {
  using recordings = new Recordings();
  recordings.add("hog.jsonl.gz", Bun.gzipSync(recordingOf(hogSnapshots())));
  recordings.add(
    "hog.truth.yaml",
    `harmful: true\nfromSeconds: ${HOG.quietSeconds}\nvictim: shop/hog\nnote: made\n`,
  );
  recordings.add("livelock.jsonl", recordingOf(steadily(0.79, nothing)));
  recordings.add(
    "livelock.truth.json",
    '{"harmful":true,"fromSeconds":0,"victim":["shop/a","shop/c"],"note":"made"}',
  );
  recordings.add("page-cache.jsonl", recordingOf(steadily(0.7, plenty)));
  recordings.add("page-cache.truth.yaml", "harmful: false\nnote: no swap moves\n");
  expect(await judgeFolder(recordings.folder)).toBe(
    await Bun.file(`${ROOT}/tests/golden/bench-decisions.txt`).text(),
  );
});

test("by default wasp evicts no pod without harm, and the right pod in time where there is harm", async () => {
  const judged = await judgeFolder(`${ROOT}/tests/fixtures/traces`);
  const rows = judged.split("\n").map((row) => row.split(/ {2,}/));
  const ofWasp = rows.filter(([name, rule, outcome]) => name !== "RECORDING" && rule === "wasp" && outcome);
  expect(ofWasp.length).toBeGreaterThanOrEqual(16);
  const odd = ofWasp.filter(([, , outcome]) => outcome !== "detected" && outcome !== "quiet");
  expect(odd).toEqual([]);
  expect(judged).toMatch(/^wasp +\d+ +0 +0 +0 +\d+ +0$/m);
});

describe("a folder", () => {
  test("without recordings, or that is missing, is reported", async () => {
    using recordings = new Recordings();
    for (const folder of [recordings.folder, `${recordings.folder}/none`])
      expect(await judgeFolder(folder)).toBe(`there are no recordings in ${folder}: nothing is judged\n`);
  });

  test.each<[Record<string, string>, string]>([
    [{ "a.jsonl": recordingOf([]) }, "/a.truth.yaml is missing"],
    [
      { "a.jsonl": "x", "a.truth.yaml": "harmful: false\nnote: made\n" },
      "/a.jsonl: no recording of wasp: line 1: not JSON",
    ],
    [{ "a.jsonl": "x", "a.truth.yaml": "harmful: true\nnote: made\n" }, "/a.truth.yaml: fromSeconds: "],
  ])("with an invalid file is reported: %j", async (files, complaint) => {
    using recordings = new Recordings();
    for (const [name, content] of Object.entries(files)) recordings.add(name, content);
    await expect(judgeFolder(recordings.folder)).rejects.toThrow(`${recordings.folder}${complaint}`);
  });
});

const harm: Truth = { harmful: true, fromSeconds: 100, victim: "shop/hog", note: "made" };
const peace: Truth = { harmful: false, note: "made" };

test.each<[Truth, number | undefined, string, Judgement["outcome"], Judgement["victim"]]>([
  [peace, undefined, "", "quiet", undefined],
  [peace, 50, "shop/hog", "false", undefined],
  [harm, undefined, "", "missed", undefined],
  [harm, 99, "shop/hog", "false", "right"],
  [harm, 100, "shop/hog", "detected", "right"],
  [harm, 115, "shop/web", "detected", "wrong"],
  [harm, 116, "shop/hog", "late", "right"],
])("by %j a decision at %p of %p is %s", (truth, atSeconds, victim, outcome, isRight) => {
  const decision = atSeconds === undefined ? undefined : { atSeconds, victim };
  expect(judge(truth, decision)).toMatchObject({ outcome, victim: isRight as never });
});

test.each<[string, string]>([
  ["harmful: maybe", "harmful"],
  ["harmful: false", "note"],
  ["harmful: true\nfromSeconds: 1\nvictim: hog\nnote: made", "victim"],
  ["harmful: false\nfromSeconds: 1\nnote: made", "fromSeconds"],
])("%j is an invalid truth", (text, place) => {
  expect(() => parseTruth(text)).toThrow(place);
});
