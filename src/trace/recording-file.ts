import { open } from "node:fs/promises";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import { decodeTrace } from "./decode.ts";
import type { TraceHeader } from "./format.ts";
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
 * Reads a file with a recording, decompressed if its name ends in .gz, and calls back with each snapshot. Rejects with
 * an Error that names the file, the line, and what is wrong with it.
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
  for await (const snapshot of decodeTrace(linesOf(bytesOf(path, file.readableWebStream())), listener)) {
    first ??= snapshot;
    last = snapshot;
    samples += 1;
    for (const { uid } of snapshot.pods) pods.add(uid);
    for (const { id } of snapshot.containers) containers.add(id);
    onSnapshot(snapshot);
  }
  if (header === undefined || first === undefined || last === undefined) throw new Error("it has no samples");
  const { memoryTotalBytes, swapTotalBytes } = last.node;
  return {
    ...{ file: path, header, samples, seconds: last.atSeconds - first.atSeconds },
    ...{ memoryTotalBytes, swapTotalBytes, pods: pods.size, containers: containers.size, notes },
  };
}

function bytesOf(path: string, stream: ReadableStream): ReadableStream<Uint8Array> {
  return path.endsWith(".gz") ? stream.pipeThrough(new DecompressionStream("gzip")) : stream;
}
