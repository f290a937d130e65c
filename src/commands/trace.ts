// Failure posture: a recording continues without what cannot be read, and reports it once on standard error. It ends
// where it cannot be written; what is written until then is readable.
import { randomBytes } from "node:crypto";
import { readFileSync, writeSync } from "node:fs";
import type { CommandDef } from "citty";
import { consola } from "consola";
import type { Build } from "../agent/build.ts";
import { followPods, kubeletOf } from "../agent/pods/pod-source.ts";
import type { AgentConfig } from "../config/agent/knobs.ts";
import { flagsOf } from "../config/flags.ts";
import {
  loadTraceRecordConfig,
  type TraceRecordConfig,
  TraceRecordFlagsSchema,
} from "../config/trace/record.ts";
import { TraceReplayFlagsSchema } from "../config/trace/replay.ts";
import { readPageBytes } from "../host/libc.ts";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import { NameHasher } from "../trace/hash-names.ts";
import { TraceOutput } from "../trace/output.ts";
import { PodsFile } from "../trace/pods-file.ts";
import { type RecordingResult, record } from "../trace/recorder.ts";
import { NodeSampler } from "../trace/sampler.ts";
import { EXIT_SUCCESS } from "./exit-status.ts";
import { abortAt } from "./next-signal.ts";
import { runCommand } from "./run-command.ts";
import { runReplay } from "./trace-replay.ts";

const STDERR = 2;

/** The command `wasp trace`, of which each command has its own flags. */
export const traceCommand = (build: Build): CommandDef => ({
  meta: {
    name: "trace",
    description: "Record a node's memory and swap pressure, and replay eviction decisions on a recording",
  },
  subCommands: { record: recordCommand(build), replay: replayCommand },
});

const recordCommand = ({ version }: Build): CommandDef => ({
  meta: {
    name: "record",
    description:
      "Record memory, swap and pressure of a node and its containers, once a second, as JSON lines",
  },
  args: () => flagsOf(TraceRecordFlagsSchema),
  run: ({ rawArgs }) => runRecord(rawArgs, version),
});

const replayCommand: CommandDef = {
  meta: {
    name: "replay",
    description:
      "Show when a configuration would have tainted the recorded node, and which pods it would have evicted",
  },
  args: () => flagsOf(TraceReplayFlagsSchema),
  run: ({ rawArgs }) => runReplay(rawArgs),
};

function runRecord(argv: readonly string[], version: string): Promise<number> {
  const readFile = (path: string) => readFileSync(path, "utf8");
  return runCommand(
    () => loadTraceRecordConfig({ argv, env: process.env, readFile }),
    (config) => recordNode(config, version),
  );
}

async function recordNode(config: TraceRecordConfig, wasp: string): Promise<number> {
  const { output: file, force, maxSizeBytes, durationSeconds } = config;
  const stop = abortAt("SIGTERM", "SIGINT");
  const onProblem = warnOnce();
  using pods = podsOf(config, onProblem);
  using sampler = new NodeSampler(config.agent.fsroot, { onContainer: () => pods.refresh(), onProblem });
  using output =
    file === undefined ? TraceOutput.stdout(maxSizeBytes) : TraceOutput.file(file, maxSizeBytes, force);
  const anonymize = anonymizer(config.hashNames);
  const recorded = await record({
    header: { pageBytes: readPageBytes(), wasp },
    take: (atSeconds) => anonymize(sampler.take(atSeconds, pods.pods())),
    output,
    durationSeconds,
    stop,
    onProblem,
  });
  report(recorded, output.writtenBytes, file ?? "standard output");
  return EXIT_SUCCESS;
}

/** Source of a recording's pods. */
interface RecordedPods extends Disposable {
  pods(): readonly Pod[];
  refresh(): void;
}

function podsOf(config: TraceRecordConfig, onProblem: (error: Error) => void): RecordedPods {
  const unchanging = { refresh: () => {}, [Symbol.dispose]: () => {} };
  if (config.podsFile !== undefined) {
    const file = new PodsFile(config.podsFile, onProblem);
    return { ...unchanging, pods: () => file.pods() };
  }
  const none = { ...unchanging, pods: () => [] };
  if (config.withoutPods) return none;
  try {
    return podsFromKubelet(config.agent, onProblem);
  } catch (error) {
    onProblem(new Error(`recording without pods: ${(error as Error).message}`));
    return none;
  }
}

function podsFromKubelet(agent: AgentConfig, onProblem: (error: Error) => void): RecordedPods {
  let pods: readonly Pod[] = [];
  const options = {
    config: () => agent,
    env: process.env,
    kubelet: kubeletOf(agent),
    prepare: async () => {},
    isIncomplete: () => false,
  };
  const source = followPods(options, {
    onPods: (list) => {
      pods = list.pods;
      for (const problem of list.problems) onProblem(new Error(problem));
    },
    onError: onProblem,
  });
  return { pods: () => pods, refresh: () => source.ask(), [Symbol.dispose]: () => source.close() };
}

function anonymizer(hashNames: boolean): (snapshot: Snapshot) => Snapshot {
  if (!hashNames) return (snapshot) => snapshot;
  const hasher = new NameHasher(randomBytes(32));
  return (snapshot) => hasher.hash(snapshot);
}

// The unreadable file may be another one each second: this many warnings are enough.
const MAX_PROBLEMS = 20;

function warnOnce(): (error: Error) => void {
  const seen = new Set<string>();
  return ({ message }) => {
    if (seen.has(message) || seen.size >= MAX_PROBLEMS) return;
    seen.add(message);
    consola.warn(message);
  };
}

const END_REASONS: Readonly<Record<RecordingResult["endedBy"], string>> = {
  duration: "the duration is over",
  full: "--max-size is reached",
  "reader-gone": "the reader is gone",
  stopped: "stopped by a signal",
};

function report({ samples, seconds, endedBy }: RecordingResult, bytes: number, where: string): void {
  const size = bytes < 1e5 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
  const count = `${samples} ${samples === 1 ? "sample" : "samples"}`;
  const what = `recorded ${count} in ${seconds.toFixed(1)} s, ${size}, to ${where}`;
  writeSync(STDERR, `${what}: ${END_REASONS[endedBy]}\n`);
}
