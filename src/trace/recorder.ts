import { setTimeout as sleep } from "node:timers/promises";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import { TraceEncoder } from "./encode.ts";
import type { TraceHeader } from "./format.ts";
import type { TraceOutput, WriteOutcome } from "./output.ts";

const MILLISECONDS_PER_SECOND = 1000;

/** Input, output and end of a recording. */
export interface RecordOptions {
  readonly header: Omit<TraceHeader, "trace" | "startedAt">;
  /** Takes a snapshot, at so many seconds from the start; throws an Error if that fails. */
  readonly take: (atSeconds: number) => Snapshot;
  readonly output: TraceOutput;
  /** Infinity for no end of its own. */
  readonly durationSeconds: number;
  readonly stop: AbortSignal;
  /** Called for a second without a snapshot. */
  readonly onProblem: (error: Error) => void;
}

/** Result of a recording. */
export interface RecordingResult {
  readonly samples: number;
  readonly seconds: number;
  readonly endedBy: "duration" | Exclude<WriteOutcome, "written">;
}

/** Records a snapshot each second; a missed second is not repeated. Rejects with an Error if the output fails. */
export async function record(options: RecordOptions): Promise<RecordingResult> {
  const { header, take, output, durationSeconds, stop, onProblem } = options;
  const encoder = new TraceEncoder();
  const started = performance.now();
  const elapsedSeconds = () => (performance.now() - started) / MILLISECONDS_PER_SECOND;
  let samples = 0;
  const end = (endedBy: RecordingResult["endedBy"]) => ({ samples, seconds: elapsedSeconds(), endedBy });

  const startedAt = new Date().toISOString();
  const begun = await output.write(encoder.header({ startedAt, ...header }), stop);
  if (begun !== "written") return end(begun);
  for (let second = 0; ; ) {
    const snapshot = attempt(() => take(elapsedSeconds()), onProblem);
    if (snapshot !== undefined) {
      const outcome = await output.write(encoder.sample(snapshot), stop);
      if (outcome !== "written") return end(outcome);
      samples += 1;
    }
    if (second >= durationSeconds) return end("duration");
    // A timer may fire slightly early, and its second must not be recorded twice.
    second = Math.max(second + 1, Math.floor(elapsedSeconds()) + 1);
    const pauseMilliseconds = (second - elapsedSeconds()) * MILLISECONDS_PER_SECOND;
    // An AbortError is the requested end.
    await sleep(pauseMilliseconds, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted) return end("stopped");
  }
}

function attempt<T>(act: () => T, onError: (error: Error) => void): T | undefined {
  try {
    return act();
  } catch (error) {
    onError(error as Error);
    return undefined;
  }
}
