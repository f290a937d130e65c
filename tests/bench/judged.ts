import { existsSync, readFileSync } from "node:fs";
import { Glob } from "bun";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { formatTable } from "../../src/terminal/table.ts";
import { readRecording } from "../../src/trace/recording-file.ts";
import { RULES } from "./rules.ts";
import { DUE_SECONDS, type Judgement, judge, parseTruth, type Truth } from "./truth.ts";

/** Judgement of a rule on one recording. */
interface Judged extends Judgement {
  readonly recording: string;
  readonly rule: string;
}

/**
 * Judges each rule on the recordings in a directory, NAME.jsonl or NAME.jsonl.gz with NAME.truth.yaml or
 * NAME.truth.json beside it, and formats the results as tables. Rejects with an Error that names the unreadable file.
 */
export async function judgeFolder(folder: string): Promise<string> {
  const files = existsSync(folder) ? [...new Glob("*.{jsonl,jsonl.gz}").scanSync(folder)].sort() : [];
  if (files.length === 0) return `there are no recordings in ${folder}: nothing is judged\n`;
  const judged: Judged[] = [];
  for (const file of files) judged.push(...(await judgeRecording(folder, file)));
  const lines = [
    ...formatTable([["RECORDING", "RULE", "OUTCOME", "VICTIM", "SECONDS"], ...judged.map(rowOf)]),
    "",
    ...formatTable([
      ["RULE", "DETECTED", "LATE", "MISSED", "FALSE", "QUIET", "WRONG VICTIM"],
      ...totalsOf(judged),
    ]),
    "",
    `detected is within ${DUE_SECONDS} s of harm; false is without harm, or before it`,
    ...RULES.map(({ name, note }) => `${name}: ${note}`),
  ];
  return `${lines.join("\n")}\n`;
}

async function judgeRecording(folder: string, file: string): Promise<Judged[]> {
  const recording = file.replace(/\.jsonl(\.gz)?$/, "");
  const truth = readTruth(`${folder}/${recording}`);
  const snapshots: Snapshot[] = [];
  await readRecording(`${folder}/${file}`, (snapshot) => snapshots.push(snapshot));
  return RULES.map(({ name, decide }) => ({ recording, rule: name, ...judge(truth, decide(snapshots)) }));
}

function readTruth(stem: string): Truth {
  const path = [`${stem}.truth.yaml`, `${stem}.truth.json`].find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new Error(`${stem}.truth.yaml is missing: it must say if the recording is harmful`);
  try {
    return parseTruth(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

function rowOf({ recording, rule, outcome, victim, seconds }: Judged): string[] {
  return [recording, rule, outcome, victim ?? "-", seconds === undefined ? "-" : seconds.toFixed(1)];
}

function totalsOf(judged: readonly Judged[]): string[][] {
  return RULES.map(({ name }) => {
    const own = judged.filter(({ rule }) => rule === name);
    const outcomes = ["detected", "late", "missed", "false", "quiet"] as const;
    const counts = outcomes.map((outcome) => own.filter((one) => one.outcome === outcome).length);
    return [name, ...[...counts, own.filter(({ victim }) => victim === "wrong").length].map(String)];
  });
}
