import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { patience, SLOWNESS_VARIABLE, slowness } from "../patience.ts";
import { run } from "./command.ts";
import { readReport } from "./junit.ts";
import type { Score } from "./score.ts";

/** Test files that one `bun test` process runs, one after the other. */
export interface Group {
  readonly name: string;
  /** Relative to the root. */
  readonly files: readonly string[];
  /** Longest time that the group may take on the reference machine; 10 minutes by default. */
  readonly limitSeconds?: number;
  /** True if its temporary files are too large for memory: guests' disks. */
  readonly needsDisk?: boolean;
}

const TEST_SECONDS = 60;
const GROUP_SECONDS = 600;
// Of one process: `describe.concurrent` would start 20 agents at once.
const TESTS_AT_ONCE = 10;

/** Runs a group of tests below a root folder, and adds its outcome to the score. */
export async function runGroup(group: Group, root: string, score: Score): Promise<void> {
  const folder = await mkdtemp(`${tmpdir()}/wasp-tests-`);
  const report = `${folder}/report.xml`;
  const started = performance.now();
  try {
    const flags = [
      "--only-failures",
      `--timeout=${patience(TEST_SECONDS)}`,
      `--max-concurrency=${TESTS_AT_ONCE}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
    ];
    const files = group.files.map((file) => `./${file}`);
    const { exitCode, output } = await run([process.execPath, "test", ...flags, ...files], {
      cwd: root,
      env: { ...process.env, [SLOWNESS_VARIABLE]: String(slowness()) },
      timeoutMilliseconds: patience(group.limitSeconds ?? GROUP_SECONDS),
      isTmpInMemory: group.needsDisk !== true,
    });
    const { passed, failed } = readReport(await readFile(report, "utf8").catch(() => ""));
    const isWhole = passed + failed.length > 0 && (exitCode === 0 || failed.length > 0);
    const lost = isWhole ? [] : [`(bun test ended with ${exitCode ?? "a signal"}, its tests are not known)`];
    const seconds = (performance.now() - started) / 1000;
    score.group(group.name, passed, [...failed, ...lost], seconds, output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
