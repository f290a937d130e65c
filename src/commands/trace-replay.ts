// Failure posture: a recording that is cut off is replayed up to there, with a warning on standard error; one with any
// other defect is not replayed, and the error names what is wrong with it.
import { readFileSync } from "node:fs";
import { consola } from "consola";
import { loadTraceReplayConfig, type NamedConfig, type TraceReplayConfig } from "../config/trace/replay.ts";
import { printable, printableJson, printableText } from "../terminal/printable.ts";
import { reportComparison } from "../trace/compare-report.ts";
import { TraceOutput } from "../trace/output.ts";
import { readRecording } from "../trace/recording-file.ts";
import { Replay } from "../trace/replay.ts";
import { replaysAsJson } from "../trace/replay-json.ts";
import { type NamedReplay, reportReplay } from "../trace/replay-report.ts";
import { EXIT_SUCCESS } from "./exit-status.ts";
import { runCommand } from "./run-command.ts";

const WIDTH_WITHOUT_TERMINAL = 100;

/** Runs `wasp trace replay`, and returns the exit status. */
export function runReplay(argv: readonly string[]): Promise<number> {
  const readFile = (path: string) => readFileSync(path, "utf8");
  return runCommand(() => loadTraceReplayConfig({ argv, readFile }), printReplay);
}

async function printReplay(config: TraceReplayConfig): Promise<number> {
  const report = await replay(config);
  // Only a signal interrupts it, and that ends the process.
  using output = TraceOutput.stdout(Number.POSITIVE_INFINITY);
  await output.write(report, new AbortController().signal);
  return EXIT_SUCCESS;
}

async function replay({ file, output, observations, configs }: TraceReplayConfig): Promise<string> {
  const replays = configs.map(replayOf);
  const recording = await readRecording(file, (snapshot) => {
    for (const { replay } of replays) replay.take(snapshot);
  });
  for (const note of recording.notes) consola.warn(printable(`${file}: ${note}`));
  // A recording comes from anybody, and a terminal obeys what it is sent.
  if (output === "json") return printableJson(replaysAsJson(recording, replays, observations));
  const width = process.stdout.columns ?? WIDTH_WITHOUT_TERMINAL;
  const [a, b] = replays as [NamedReplay, NamedReplay?];
  return printableText(
    b === undefined ? reportReplay(recording, a, width) : reportComparison(recording, [a, b], width),
  );
}

function replayOf({ name, config }: NamedConfig): NamedReplay {
  const thresholds = config.evictionThresholds.map((threshold) => threshold.name);
  const { evictionMode } = config;
  return { name, evictionMode, thresholds, replay: new Replay({ ...config, ownPodUid: undefined }) };
}
