import type { ContainerSample, PodSample, Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import { TRACE_VERSION, type TraceHeader } from "./format.ts";

/** Encodes snapshots as lines of a recording, each with its line end; keeps the state after the lines so far. */
export class TraceEncoder {
  #pods: readonly Pod[] = [];
  #podsText = "[]";
  readonly #containers = new SampleChanges<ContainerSample>("id");
  readonly #podSamples = new SampleChanges<PodSample>("podUid");

  /** Returns the first line. */
  header(header: Omit<TraceHeader, "trace">): string {
    return lineOf({ trace: TRACE_VERSION, ...header });
  }

  /** Returns one line, or two if the pods have changed; snapshots must be in chronological order. */
  sample(snapshot: Snapshot): string {
    const at = Number(snapshot.atSeconds.toFixed(3));
    const { node, kubepods } = snapshot;
    const { changed: containers, gone } = this.#containers.take(snapshot.containers);
    const { changed: podSamples, gone: gonePods } = this.#podSamples.take(snapshot.podSamples);
    const line = { at, node, kubepods, containers, gone, podSamples, gonePods };
    return this.#takePods(at, snapshot.pods) + lineOf(line);
  }

  #takePods(at: number, pods: readonly Pod[]): string {
    // Between two answers of the kubelet the list is the same object.
    if (pods === this.#pods) return "";
    this.#pods = pods;
    const text = JSON.stringify(pods);
    if (text === this.#podsText) return "";
    this.#podsText = text;
    return lineOf({ at, pods });
  }
}

/** Changes between consecutive lists of samples, which a key identifies. */
class SampleChanges<S extends object> {
  readonly #key: keyof S;
  #before: ReadonlyMap<unknown, S> = new Map();

  constructor(key: keyof S) {
    this.#key = key;
  }

  /** Returns the changed values of each sample, and the keys of those that are gone; undefined instead of empty lists. */
  take(samples: readonly S[]): {
    readonly changed: readonly Partial<S>[] | undefined;
    readonly gone: readonly unknown[] | undefined;
  } {
    const before = this.#before;
    const now = new Map<unknown, S>(samples.map((sample) => [sample[this.#key], sample]));
    this.#before = now;
    // JSON has no undefined: a sample that lost a value is gone, and comes again without it.
    const gone = [...before].filter(([key, sample]) => hasLost(sample, now.get(key))).map(([key]) => key);
    const changed = samples.flatMap((sample) => {
      const key = sample[this.#key];
      return (gone.includes(key) ? sample : this.#changesOf(sample, before.get(key))) ?? [];
    });
    return {
      changed: changed.length === 0 ? undefined : changed,
      gone: gone.length === 0 ? undefined : gone,
    };
  }

  #changesOf(sample: S, before: S | undefined): Partial<S> | undefined {
    if (before === undefined) return sample;
    const entries = Object.entries(sample) as [keyof S, unknown][];
    const changed = entries.filter(([key, value]) => !Bun.deepEquals(before[key], value));
    if (changed.length === 0) return undefined;
    return { [this.#key]: sample[this.#key], ...Object.fromEntries(changed) } as Partial<S>;
  }
}

/** Returns true if a sample is there no longer, or one of its values is not. */
function hasLost<S extends object>(before: S, now: S | undefined): boolean {
  if (now === undefined) return true;
  const keys = Object.keys(before) as (keyof S)[];
  return keys.some((key) => before[key] !== undefined && now[key] === undefined);
}

// JSON has no Infinity.
function lineOf(value: object): string {
  const text = JSON.stringify(value, (_, figure) => (figure === Number.POSITIVE_INFINITY ? "max" : figure));
  return `${text}\n`;
}
