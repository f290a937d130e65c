import type { MemoryEvents, Pressure, Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { decodeTrace } from "../../src/trace/decode.ts";
import { TraceEncoder } from "../../src/trace/encode.ts";
import type { TraceHeader } from "../../src/trace/format.ts";
import { linesOf } from "../../src/trace/lines.ts";
import { podSampleOf } from "../policy/eviction/snapshots.ts";
import { containerWith, podWith, snapshotWith } from "./snapshots.ts";

/** Header of the recordings of these tests. */
export const HEADER = { startedAt: "2026-01-05T10:00:00.000Z", pageBytes: 4096, wasp: "0.1.0" };

/** Returns the text of a recording of these snapshots. */
export function recordingOf(snapshots: readonly Snapshot[]): string {
  const encoder = new TraceEncoder();
  return encoder.header(HEADER) + snapshots.map((snapshot) => encoder.sample(snapshot)).join("");
}

/** Decoded content of a recording. */
export interface Decoded {
  readonly headers: TraceHeader[];
  readonly notes: string[];
  readonly snapshots: Snapshot[];
}

/** Decodes a recording's bytes, in pieces of this size; rejects as decodeTrace does. */
export async function decodeRecording(text: string, pieceBytes = 4096): Promise<Decoded> {
  const decoded: Decoded = { headers: [], notes: [], snapshots: [] };
  const snapshots = decodeTrace(linesOf(piecesOf(text, pieceBytes)), {
    onHeader: (header) => decoded.headers.push(header),
    onNote: (note) => decoded.notes.push(note),
  });
  for await (const snapshot of snapshots) decoded.snapshots.push(snapshot);
  return decoded;
}

async function* piecesOf(text: string, pieceBytes: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

const STALL = { avg10Percent: 1.25, avg60Percent: 0.5, avg300Percent: 0, totalMicroseconds: 1234 };

const PRESSURE: Pressure = { some: STALL, full: STALL };
const NO_EVENTS = { high: 0, max: 0, oom: 0 };
const EVENTS: MemoryEvents = { ...NO_EVENTS, max: 3, local: NO_EVENTS };

/**
 * Snapshots of a node that starts to swap: a container starts, another changes, one ends; a pod meets a limit, another
 * ends and the first terminates.
 */
export const SHORT: readonly Snapshot[] = [
  snapshotWith({ atSeconds: 0.002 }),
  snapshotWith({
    atSeconds: 1.0004,
    node: { ...snapshotWith({}).node, memoryPressure: { some: STALL, full: undefined } },
    kubepods: {
      memoryBytes: 60_000_000,
      inactiveFileBytes: 300,
      anonBytes: 1000,
      swapBytes: 0,
      anonRefaults: 41,
      fileRefaults: 42,
      memoryMaxBytes: 3_000_000_000,
      memoryHighBytes: Number.POSITIVE_INFINITY,
      memoryPressure: PRESSURE,
    },
    containers: [containerWith({}), containerWith({ id: "c2", podUid: "p2" })],
    podSamples: [podSampleOf("p1", { memoryPressure: PRESSURE }), podSampleOf("p2")],
    pods: [podWith({})],
  }),
  snapshotWith({
    atSeconds: 2.001,
    containers: [
      containerWith({ swapBytes: 8192, anonBytes: 900, memoryPressure: PRESSURE, events: EVENTS }),
      containerWith({ id: "c2", podUid: "p2" }),
    ],
    podSamples: [
      podSampleOf("p1", {
        ...{ memoryPressure: PRESSURE, events: EVENTS, swapBytes: 8192 },
        ...{ memoryMaxBytes: 8_192_000, memoryHighBytes: Number.POSITIVE_INFINITY },
      }),
      podSampleOf("p2"),
    ],
    pods: [podWith({})],
  }),
  snapshotWith({
    atSeconds: 3,
    containers: [containerWith({ swapBytes: 8192, anonBytes: 900, events: EVENTS })],
    podSamples: [podSampleOf("p1", { memoryPressure: PRESSURE, events: EVENTS, swapBytes: 8192 })],
    pods: [podWith({ isTerminating: true })],
  }),
];
