import type { InferOutput } from "valibot";
import { decode } from "../cluster/decode.ts";
import type { ContainerSample, PodSample, Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import { TRACE_VERSION, type TraceHeader } from "./format.ts";
import {
  HeaderSchema,
  NewContainerSchema,
  NewPodSampleSchema,
  PodsLineSchema,
  SampleLineSchema,
} from "./line-schemas.ts";

/** Callbacks for the parts of a recording that are in no snapshot. */
export interface TraceListener {
  readonly onHeader?: (header: TraceHeader) => void;
  /** Called with a defect that does not prevent the decoding, in one sentence. */
  readonly onNote?: (note: string) => void;
}

/**
 * Decodes the lines of a recording, with or without line ends, to the recorded snapshots, with containers and pods'
 * samples in the order of their appearance. Rejects with an Error that names the line and what is wrong with it. An incomplete last line, as
 * after a crash, is skipped with a note.
 */
export async function* decodeTrace(
  lines: AsyncIterable<string> | Iterable<string>,
  listener: TraceListener = {},
): AsyncGenerator<Snapshot, void, void> {
  const decoder = new TraceDecoder(listener);
  let number = 0;
  let cut: Error | undefined;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    if (cut !== undefined) throw cut;
    const value = parse(line, number);
    if (value instanceof Error) {
      if (!decoder.hasBegun || !line.startsWith("{")) throw value;
      cut = value;
      continue;
    }
    const snapshot = decoder.take(value, number);
    if (snapshot !== undefined) yield snapshot;
  }
  if (!decoder.hasBegun) throw new Error("the recording is empty: it must begin with a header");
  if (cut !== undefined) listener.onNote?.("the last line is incomplete, and is ignored");
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

  /** Takes a line, and returns the snapshot that it completes; throws an Error with the line's number. */
  take(line: unknown, number: number): Snapshot | undefined {
    try {
      if (this.#header === undefined) return this.#takeHeader(line);
      return has(line, "pods") ? this.#takePods(line) : this.#takeSample(line, this.#header);
    } catch (error) {
      throw new Error(`line ${number}: ${(error as Error).message}`);
    }
  }

  #takeHeader(line: unknown): undefined {
    if (!has(line, "trace")) throw new Error("not the header of a recording: trace: missing");
    const { trace } = line;
    if (trace !== TRACE_VERSION)
      throw new Error(
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

  #advanceTo(atSeconds: number): void {
    if (atSeconds < this.#atSeconds)
      throw new Error(`at: ${atSeconds} is before ${this.#atSeconds}, the time of the line before`);
    this.#atSeconds = atSeconds;
  }
}

// JSON has no undefined: what the type of the changes allows to be, is not there.
function merged<S extends object>(before: S | undefined, changed: object): S | undefined {
  return before && { ...before, ...changed };
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    return new Error(`line ${number}: not JSON: ${(error as Error).message}`);
  }
}

function has<K extends string>(value: unknown, key: K): value is Record<K, unknown> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}
