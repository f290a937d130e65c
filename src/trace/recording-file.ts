import { open } from "node:fs/promises";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import { cutNote, decodeTrace, UnreadableRecordingError } from "./decode.ts";
import type { TraceHeader } from "./format.ts";
import { CutGzipError, gunzipped } from "./gunzip.ts";
import { linesOf } from "./lines.ts";

/** Summary of a recording. */
export interface RecordingSummary {
  readonly file: string;
  readonly header: TraceHeader;
  readonly samples: number;
  /** Time from the first sample to the last. */
  readonly seconds: number;
  readonly memoryTotalBytes: number;
  readonly swapTotalBytes: number;
  /** Number of pods in the whole recording. */
  readonly pods: number;
  /** Number of containers in the whole recording. */
  readonly containers: number;
  /** Defects of the recording, in sentences. */
  readonly notes: readonly string[];
}

/**
 * Reads a file with a recording, plain or compressed by gzip, and calls back with each snapshot. One that is cut off is
 * read up to there, with a note. Rejects with an Error that names the file, the line, and what is wrong with it.
 */
export async function readRecording(
  path: string,
  onSnapshot: (snapshot: Snapshot) => void,
): Promise<RecordingSummary> {
  try {
    return await read(path, onSnapshot);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

async function read(path: string, onSnapshot: (snapshot: Snapshot) => void): Promise<RecordingSummary> {
  let header: TraceHeader | undefined;
  let [first, last]: (Snapshot | undefined)[] = [];
  let samples = 0;
  const notes: string[] = [];
  const pods = new Set<string>();
  const containers = new Set<string>();
  const listener = {
    onHeader: (decoded: TraceHeader) => (header = decoded),
    onNote: (note: string) => notes.push(note),
  };
  await using file = await open(path);
  if ((await file.stat()).isDirectory()) throw noRecording("it is a directory");
  const bytes: ReadableStream<Uint8Array> = file.readableWebStream();
  try {
    for await (const snapshot of decodeTrace(linesOf(gunzipped(bytes)), listener)) {
      first ??= snapshot;
      last = snapshot;
      samples += 1;
      for (const { uid } of snapshot.pods) pods.add(uid);
      for (const { id } of snapshot.containers) containers.add(id);
      onSnapshot(snapshot);
    }
  } catch (error) {
    const isCut = error instanceof CutGzipError;
    if (header === undefined && !isCut && !(error instanceof UnreadableRecordingError))
      throw noRecording((error as Error).message);
    if (!isCut) throw error;
    notes.push(cutNote("its gzip data", last?.atSeconds ?? 0));
  }
  if (header === undefined || first === undefined || last === undefined)
    throw new Error(["it has no samples", ...notes].join(": "));
  const { memoryTotalBytes, swapTotalBytes } = last.node;
  return {
    ...{ file: path, header, samples, seconds: last.atSeconds - first.atSeconds },
    ...{ memoryTotalBytes, swapTotalBytes, pods: pods.size, containers: containers.size, notes },
  };
}

function noRecording(reason: string): Error {
  return new Error(`no recording of wasp: ${reason}; wasp trace record --output FILE makes one`);
}
