import type { InferOutput } from "valibot";
import { decode } from "../cluster/decode.ts";
import type { ContainerSample, PodSample, Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import { TRACE_VERSION, type TraceHeader } from "./format.ts";
import { describeJoin, HEADER_START, headerWithin, isHeader } from "./joined.ts";
import {
  HeaderSchema,
  NewContainerSchema,
  NewPodSampleSchema,
  PodsLineSchema,
  SampleLineSchema,
} from "./line-schemas.ts";
import { formatClock } from "./time.ts";

/** Callbacks for the parts of a recording that are in no snapshot. */
export interface TraceListener {
  readonly onHeader?: (header: TraceHeader) => void;
  /** Called with a defect that does not prevent the decoding, in one sentence. */
  readonly onNote?: (note: string) => void;
}

/** Error of a recording that this wasp cannot read, or that has no whole header. */
export class UnreadableRecordingError extends Error {}

/**
 * Decodes the lines of a recording, with or without line ends, to the recorded snapshots, with containers and pods'
 * samples in the order of their appearance. Rejects with an Error that names the line and what is wrong with it. An
 * incomplete last line, as after a crash, is skipped with a note.
 */
export async function* decodeTrace(
  lines: AsyncIterable<string> | Iterable<string>,
  listener: TraceListener = {},
): AsyncGenerator<Snapshot, void, void> {
  const decoder = new TraceDecoder(listener);
  let number = 0;
  let cut: { readonly number: number; readonly error: Error } | undefined;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    const value = parse(line, number);
    if (cut !== undefined && !isHeader(value)) throw cut.error;
    if (value instanceof Error) {
      decoder.refuseJoin(headerWithin(line), number, true);
      if (!decoder.hasBegun) throw line.startsWith(HEADER_START) ? cutHeader() : value;
      if (!isUnfinished(line)) throw value;
      cut = { number, error: value };
      continue;
    }
    decoder.refuseJoin(value, number, false);
    const snapshot = decoder.take(value, number);
    if (snapshot !== undefined) yield snapshot;
  }
  if (!decoder.hasBegun) throw new Error("it is empty");
  if (cut !== undefined) listener.onNote?.(cutNote(`line ${cut.number}`, decoder.atSeconds));
}

/** Describes a recording that ends in the midst of a part of its file, after a time. */
export function cutNote(part: string, atSeconds: number): string {
  return `the file ends in the midst of ${part}, after ${formatClock(atSeconds)} of the recording: the rest is missing`;
}

function cutHeader(): Error {
  return new UnreadableRecordingError(
    "line 1: the recording is cut off within its header, so nothing can be replayed",
  );
}

// A file system may fill up with zeros what a crash kept it from writing.
function isUnfinished(line: string): boolean {
  return line.startsWith("{") || /^\0+$/.test(line);
}

type SampleLine = InferOutput<typeof SampleLineSchema>;

/** State of the node after the lines so far. */
class TraceDecoder {
  readonly #listener: TraceListener;
  readonly #containers = new Map<string, ContainerSample>();
  readonly #podSamples = new Map<string, PodSample>();
  #pods: readonly Pod[] = [];
  #atSeconds = 0;
  #header: TraceHeader | undefined;

  constructor(listener: TraceListener) {
    this.#listener = listener;
  }

  /** True after the header. */
  get hasBegun(): boolean {
    return this.#header !== undefined;
  }

  /** Time of the last line; 0 before the first. */
  get atSeconds(): number {
    return this.#atSeconds;
  }

  /** Throws an Error if a value from a line after the header is the header of another recording. */
  refuseJoin(second: unknown, line: number, isWithinLine: boolean): void {
    const first = this.#header;
    if (first === undefined || !isHeader(second)) return;
    throw new Error(describeJoin({ line, isWithinLine, first, atSeconds: this.#atSeconds, second }));
  }

  /** Takes a line, and returns the snapshot that it completes; throws an Error with the line's number. */
  take(line: unknown, number: number): Snapshot | undefined {
    try {
      if (this.#header === undefined) return this.#takeHeader(line);
      return has(line, "pods") ? this.#takePods(line) : this.#takeSample(line, this.#header);
    } catch (error) {
      const { message } = error as Error;
      const Kind = error instanceof UnreadableRecordingError ? UnreadableRecordingError : Error;
      throw new Kind(`line ${number}: ${message}`);
    }
  }

  #takeHeader(line: unknown): undefined {
    if (!has(line, "trace"))
      throw new Error(
        `not the header of a recording: ${has(line, "at") ? "a later line" : "trace: missing"}`,
      );
    const { trace } = line;
    if (!isHeader(line)) throw new Error("not the header of a recording: trace: another format");
    if (trace !== TRACE_VERSION)
      throw new UnreadableRecordingError(
        `the format is ${JSON.stringify(trace)}, and this version of wasp reads only ${TRACE_VERSION}`,
      );
    this.#header = { trace, ...decode(HeaderSchema, line, "the header of a recording") };
    this.#listener.onHeader?.(this.#header);
  }

  #takePods(line: unknown): undefined {
    const { at, pods } = decode(PodsLineSchema, line, "a line of pods");
    this.#advanceTo(at);
    this.#pods = pods;
  }

  #takeSample(line: unknown, { pageBytes }: TraceHeader): Snapshot {
    const { at, node, kubepods, ...changes } = decode(SampleLineSchema, line, "a sample");
    this.#advanceTo(at);
    this.#takeContainers(changes.containers, changes.gone);
    this.#takePodSamples(changes.podSamples, changes.gonePods);
    return {
      ...{ atSeconds: at, pageBytes, node, kubepods },
      containers: [...this.#containers.values()],
      podSamples: [...this.#podSamples.values()],
      pods: this.#pods,
    };
  }

  #takeContainers(containers: SampleLine["containers"], gone: readonly string[]): void {
    for (const id of gone) this.#containers.delete(id);
    for (const changed of containers) {
      const { id } = changed;
      const first = () => decode(NewContainerSchema, changed, `the first sample of container ${id}`);
      this.#containers.set(id, merged(this.#containers.get(id), changed) ?? first());
    }
  }

  #takePodSamples(podSamples: SampleLine["podSamples"], gone: readonly string[]): void {
    for (const uid of gone) this.#podSamples.delete(uid);
    for (const changed of podSamples) {
      const { podUid } = changed;
      const first = () => decode(NewPodSampleSchema, changed, `the first sample of pod ${podUid}`);
      this.#podSamples.set(podUid, merged(this.#podSamples.get(podUid), changed) ?? first());
    }
  }

  // Lines hold changes, and the clock of a recording is monotonic: after any step back, the state is that of no time.
  #advanceTo(atSeconds: number): void {
    if (atSeconds < this.#atSeconds)
      throw new Error(
        `the time goes back from ${this.#atSeconds} s to ${atSeconds} s, which it never does in a recording: ` +
          "the lines are in the wrong order, or parts of recordings were joined; replay each recording by itself",
      );
    this.#atSeconds = atSeconds;
  }
}

// JSON has no undefined: what the type of the changes allows to be, is not there.
function merged<S extends object>(before: S | undefined, changed: object): S | undefined {
  return before && { ...before, ...changed };
}

// The reason quotes the line, which may be long.
const MAX_REASON_CHARACTERS = 120;

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const { message } = error as Error;
    return new Error(`line ${number}: not JSON: ${message.slice(0, MAX_REASON_CHARACTERS)}`);
  }
}

function has<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}
