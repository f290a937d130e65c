import type { ContainerSample, PodSample } from "../policy/eviction/snapshot.ts";
import { unlessMissing } from "./file.ts";
import { type KubepodsContainer, type KubepodsPod, podsOfContainers } from "./kubepods.ts";
import {
  type PodTexts,
  podSampleIn,
  readContainerSwapLimit,
  readPodTexts,
  sampleContainerUsage,
} from "./snapshot.ts";

/** Samples of pods and of their containers at one moment. */
export interface PodsAndContainers {
  readonly podSamples: readonly PodSample[];
  /** Without pressure and events of their own, which no decision needs. */
  readonly containers: readonly ContainerSample[];
}

/** Sampled pod with the texts that its sample says. */
interface SampledPod {
  readonly texts: PodTexts;
  readonly sample: PodSample;
}

/**
 * Samples pods and containers again and again for decisions, on cgroup v2. Reads the containers of a pod only if the
 * pod's own cgroup has moved: its files count all that happens below it.
 */
export class PodsSampler {
  /** Pods of the last samples, by the directory of their cgroup. */
  #pods: ReadonlyMap<string, SampledPod> = new Map();
  // By the container, not by its id: one with other cgroup levels is read again.
  #containers: ReadonlyMap<KubepodsContainer, ContainerSample> = new Map();

  /**
   * Samples these containers and their pods; those that are gone are left out. Throws an Error that names the unreadable
   * file.
   */
  sample(containers: readonly KubepodsContainer[]): PodsAndContainers {
    const pods = new Map<string, SampledPod>();
    const still = new Set<string>();
    for (const pod of podsOfContainers(containers)) {
      const before = this.#pods.get(pod.directory);
      const sampled = sampleAgain(pod, before);
      if (sampled === undefined) continue;
      pods.set(pod.directory, sampled);
      if (sampled === before) still.add(pod.podUid);
    }
    // After the pods: what happens in between is in a container's sample already, and moves its pod at the next time.
    const samples = new Map<KubepodsContainer, ContainerSample>();
    for (const container of containers) {
      const before = still.has(container.podUid) ? this.#containers.get(container) : undefined;
      const sample =
        before === undefined ? sampleContainerUsage(container) : withSwapLimit(container, before);
      if (sample !== undefined) samples.set(container, sample);
    }
    // Only now: had a container's file been unreadable, its pod would count as unmoved, with the container's old sample.
    this.#pods = pods;
    this.#containers = samples;
    return {
      podSamples: Array.from(pods.values(), ({ sample }) => sample),
      containers: [...samples.values()],
    };
  }
}

/** Samples a pod, and returns its last sample if its files are as before; undefined if it is gone. */
function sampleAgain(pod: KubepodsPod, before: SampledPod | undefined): SampledPod | undefined {
  return unlessMissing(() => {
    const texts = readPodTexts(pod, before?.texts);
    if (before !== undefined && isSame(texts, before.texts)) return before;
    return { texts, sample: podSampleIn(pod, texts) };
  });
}

function isSame(now: PodTexts, before: PodTexts): boolean {
  return (
    now.stat === before.stat &&
    now.memory === before.memory &&
    now.swap === before.swap &&
    now.pressure === before.pressure &&
    now.events === before.events
  );
}

/** Returns the last sample of a container with its swap limit, which may change at any time; undefined if it is gone. */
function withSwapLimit(container: KubepodsContainer, before: ContainerSample): ContainerSample | undefined {
  return unlessMissing(() => {
    const swapLimitBytes = readContainerSwapLimit(container);
    return swapLimitBytes === before.swapLimitBytes ? before : { ...before, swapLimitBytes };
  });
}
