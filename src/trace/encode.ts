import type { ContainerSample, Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";
import { TRACE_VERSION, type TraceHeader } from "./format.ts";

/** Encodes snapshots as lines of a recording, each with its line end; keeps the state after the lines so far. */
export class TraceEncoder {
  #pods: readonly Pod[] = [];
  #podsText = "[]";
  #containers: ReadonlyMap<string, ContainerSample> = new Map();

  /** Returns the first line. */
  header(header: Omit<TraceHeader, "trace">): string {
    return lineOf({ trace: TRACE_VERSION, ...header });
  }

  /** Returns one line, or two if the pods have changed; snapshots must be in chronological order. */
  sample(snapshot: Snapshot): string {
    const at = Number(snapshot.atSeconds.toFixed(3));
    const { node, kubepods } = snapshot;
    const line = { at, node, kubepods, ...this.#takeContainers(snapshot.containers) };
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

  #takeContainers(containers: readonly ContainerSample[]) {
    const before = this.#containers;
    const now = new Map(containers.map((container) => [container.id, container]));
    this.#containers = now;
    const changed = containers.flatMap((container) => changesOf(container, before.get(container.id)) ?? []);
    const gone = [...before.keys()].filter((id) => !now.has(id));
    return {
      containers: changed.length === 0 ? undefined : changed,
      gone: gone.length === 0 ? undefined : gone,
    };
  }
}

function changesOf(
  container: ContainerSample,
  before: ContainerSample | undefined,
): Partial<ContainerSample> | undefined {
  if (before === undefined) return container;
  const entries = Object.entries(container) as [keyof ContainerSample, string | number][];
  const changed = entries.filter(([key, value]) => before[key] !== value);
  return changed.length === 0 ? undefined : { id: container.id, ...Object.fromEntries(changed) };
}

// JSON has no Infinity.
function lineOf(value: object): string {
  const text = JSON.stringify(value, (_, figure) => (figure === Number.POSITIVE_INFINITY ? "max" : figure));
  return `${text}\n`;
}
