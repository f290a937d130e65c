import type {
  ContainerSample,
  PodSample,
  Pressure,
  Snapshot,
} from "../../../src/policy/eviction/snapshot.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";

export const MI = 2 ** 20;
export const GI = 2 ** 30;

/** Returns a pod that may be evicted, with these differences; its container's id is the pod's UID. */
export function podOf(uid: string, differences: Partial<Pod> = {}): Pod {
  return {
    uid,
    namespace: "shop",
    name: uid,
    annotations: {},
    labels: {},
    qosClass: "Burstable",
    priority: 0,
    phase: "Running",
    isTerminating: false,
    ownerKind: "ReplicaSet",
    containers: [{ name: "app", id: uid, memoryRequestBytes: 100 * MI, memoryLimitBytes: undefined }],
    ...differences,
  };
}

/** Returns the sample of a container that uses 50 MiB and no swap, with these differences. */
export function sampleOf(podUid: string, differences: Partial<ContainerSample> = {}): ContainerSample {
  return {
    id: podUid,
    podUid,
    memoryBytes: 50 * MI,
    inactiveFileBytes: 0,
    anonBytes: 50 * MI,
    swapBytes: 0,
    anonRefaults: 0,
    fileRefaults: 0,
    swappableBytes: 50 * MI,
    swapLimitBytes: GI,
    fileBytes: 0,
    shmemBytes: 0,
    swapCachedBytes: 0,
    memoryPressure: undefined,
    events: undefined,
    ...differences,
  };
}

/** Returns the sample of a pod that uses 50 MiB and no swap, with these differences. */
export function podSampleOf(podUid: string, differences: Partial<PodSample> = {}): PodSample {
  return {
    podUid,
    memoryBytes: 50 * MI,
    inactiveFileBytes: 0,
    anonBytes: 50 * MI,
    fileBytes: 0,
    shmemBytes: 0,
    swapBytes: 0,
    swapCachedBytes: 0,
    anonRefaults: 0,
    fileRefaults: 0,
    swappableBytes: 50 * MI,
    memoryMaxBytes: undefined,
    memoryHighBytes: undefined,
    memoryPressure: undefined,
    events: undefined,
    ...differences,
  };
}

/** Returns the pressure of tasks that all were stalled for so long so far, without averages. */
export function pressureOf(totalMicroseconds: number): Pressure {
  const stall = { avg10Percent: 0, avg60Percent: 0, avg300Percent: 0, totalMicroseconds };
  return { some: stall, full: stall };
}

/** Free resources of a node, and its counters so far. */
export interface Moment {
  readonly stallMicroseconds?: number;
  readonly swapInPages?: number;
  readonly swapOutPages?: number;
  readonly anonRefaults?: number;
  readonly fileRefaults?: number;
  readonly swapFreeBytes?: number;
  readonly memoryAvailableBytes?: number;
}

/** Returns a snapshot of a node with 4 GiB of memory and 1 GiB of swap. */
export function snapshotAt(
  atSeconds: number,
  moment: Moment,
  pods: readonly Pod[] = [],
  containers: readonly ContainerSample[] = pods.map(({ uid }) => sampleOf(uid)),
  podSamples: readonly PodSample[] = [],
): Snapshot {
  return {
    atSeconds,
    pageBytes: 4096,
    node: {
      memoryTotalBytes: 4 * GI,
      memoryAvailableBytes: moment.memoryAvailableBytes ?? 2 * GI,
      memoryFreeBytes: 2 * GI,
      inactiveFileBytes: 0,
      swapTotalBytes: GI,
      swapFreeBytes: moment.swapFreeBytes ?? GI / 2,
      swapInPages: moment.swapInPages ?? 0,
      swapOutPages: moment.swapOutPages ?? 0,
      directScans: undefined,
      kswapdScans: undefined,
      memoryPressure: undefined,
    },
    kubepods: {
      ...sampleOf("kubepods"),
      anonRefaults: moment.anonRefaults ?? 0,
      fileRefaults: moment.fileRefaults ?? 0,
      memoryMaxBytes: 3 * GI,
      memoryHighBytes: Number.POSITIVE_INFINITY,
      memoryPressure: pressureOf(moment.stallMicroseconds ?? 0),
    },
    containers,
    podSamples,
    pods,
  };
}
