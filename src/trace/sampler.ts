import { type KubepodsContainer, podsOfContainers } from "../host/kubepods.ts";
import { readPageBytes } from "../host/libc.ts";
import { NodeContainers } from "../host/node-containers.ts";
import { sampleContainer, sampleKubepods, sampleNode, samplePod } from "../host/snapshot.ts";
import type { Snapshot } from "../policy/eviction/snapshot.ts";
import type { Pod } from "../policy/kubernetes/pod.ts";

// Interval after which changes without an event are found.
const SWEEP_SECONDS = 60;

/** Callbacks of a NodeSampler. */
export interface NodeSamplerListener {
  /** Called for a new container, whose pod may still be unknown. */
  onContainer(): void;
  /** Called when a file cannot be read or watched. */
  onProblem(error: Error): void;
}

/** Takes snapshots of a node below fsroot, and follows its containers. */
export class NodeSampler implements Disposable {
  readonly #fsroot: string;
  readonly #pageBytes = readPageBytes();
  readonly #listener: NodeSamplerListener;
  readonly #known = new Map<string, KubepodsContainer>();
  readonly #containers: NodeContainers;
  #sweptSeconds = 0;

  /** Throws an Error if the node's own files cannot be read, or its pods are on cgroup v1. */
  constructor(fsroot: string, listener: NodeSamplerListener) {
    this.#fsroot = fsroot;
    this.#listener = listener;
    sampleNode(fsroot);
    this.#containers = new NodeContainers(fsroot, {
      onContainer: (container) => {
        this.#known.set(container.containerId, container);
        listener.onContainer();
      },
      onGone: (id) => this.#known.delete(id),
      onLimitWritten: () => {},
      onSharedLimitWritten: () => {},
      onError: (error) => listener.onProblem(error),
    });
    const onV1 = this.#containers.kubepods.find(({ version }) => version === 1);
    if (onV1 === undefined) return;
    this.#containers.close();
    throw new Error(`${onV1.mount}${onV1.path} is on cgroup v1, and a recording needs cgroup v2`);
  }

  /** Takes a snapshot now; throws an Error if the node's own files cannot be read. */
  take(atSeconds: number, pods: readonly Pod[]): Snapshot {
    this.#sweepIfDue(atSeconds);
    const [kubepods] = this.#containers.kubepods;
    const podSamples = this.#sampleEach(samplePod, podsOfContainers(this.#known.values()));
    const events = new Map(podSamples.map((sample) => [sample.podUid, sample.events]));
    const sampleKnown = (container: KubepodsContainer) =>
      sampleContainer(container, events.get(container.podUid));
    return {
      atSeconds,
      pageBytes: this.#pageBytes,
      node: sampleNode(this.#fsroot),
      kubepods: kubepods && sampleKubepods(kubepods),
      containers: this.#sampleEach(sampleKnown, this.#known.values()),
      podSamples,
      pods,
    };
  }

  /** Stops following the containers. */
  [Symbol.dispose](): void {
    this.#containers.close();
  }

  #sweepIfDue(atSeconds: number): void {
    if (atSeconds < this.#sweptSeconds + SWEEP_SECONDS) return;
    this.#sweptSeconds = atSeconds;
    this.#containers.sweep();
  }

  /** Leaves out those that are gone, and reports those with unreadable files. */
  #sampleEach<C, S>(sample: (cgroup: C) => S | undefined, cgroups: Iterable<C>): S[] {
    return [...cgroups].flatMap((cgroup) => {
      try {
        return sample(cgroup) ?? [];
      } catch (error) {
        this.#listener.onProblem(error as Error);
        return [];
      }
    });
  }
}
