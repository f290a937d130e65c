import type {
  CgroupSample,
  ContainerSample,
  KubepodsSample,
  MemoryEvents,
  NodeSample,
  PodSample,
} from "../policy/eviction/snapshot.ts";
import { readFile, readRecord, unlessMissing } from "./file.ts";
import { valueOfKey } from "./key-values.ts";
import type { Kubepods, KubepodsContainer, KubepodsPod } from "./kubepods.ts";
import { readNodeMemory } from "./meminfo.ts";
import {
  type EventTexts,
  hasEvents,
  memoryEventsIn,
  NO_EVENTS,
  readEventTexts,
  readMemoryEvents,
} from "./memory-events.ts";
import { type MemoryStat, parseMemoryStat } from "./memory-stat.ts";
import { parsePressure, readPressure, readPressureText } from "./psi.ts";
import { readLimit } from "./swap-limit.ts";

/** Samples a node's memory and swap below fsroot; throws an Error that names the unreadable file. */
export function sampleNode(fsroot: string): NodeSample {
  const memory = readNodeMemory(fsroot);
  const vmstat = readFile(`${fsroot}/proc/vmstat`);
  return {
    ...memory,
    swapInPages: valueOfKey(vmstat, "pswpin"),
    swapOutPages: valueOfKey(vmstat, "pswpout"),
    directScans: valueOfKey(vmstat, "pgscan_direct"),
    kswapdScans: valueOfKey(vmstat, "pgscan_kswapd"),
    memoryPressure: readPressure(`${fsroot}/proc/pressure/memory`),
  };
}

/** Samples all pods together, on cgroup v2; undefined if the cgroup is gone. Throws an Error that names the file. */
export function sampleKubepods({ mount, path }: Kubepods): KubepodsSample | undefined {
  const directory = mount + path;
  return unlessMissing(() => {
    const usage = readUsage(directory);
    return {
      ...figuresIn(usage, parseMemoryStat(usage.stat)),
      memoryMaxBytes: readLimit(`${directory}/memory.max`),
      memoryHighBytes: readLimit(`${directory}/memory.high`),
      memoryPressure: readPressure(`${directory}/memory.pressure`),
    };
  });
}

/** Samples a pod's own cgroup, on cgroup v2; undefined if it is gone. Throws an Error that names the file. */
export function samplePod(pod: KubepodsPod): PodSample | undefined {
  return unlessMissing(() => podSampleIn(pod, readPodTexts(pod)));
}

/** Texts of a pod's files at one moment. */
export interface PodTexts extends UsageTexts {
  readonly pressure: string | undefined;
  readonly events: EventTexts | undefined;
}

/** Reads the files of a pod's own cgroup, on cgroup v2; throws a SystemError, also if it is gone. */
export function readPodTexts({ directory }: KubepodsPod, before?: PodTexts): PodTexts {
  // Read before the files that a cgroup has to have: were it gone by then, nothing of it would be shown.
  const pressure = readPressureText(`${directory}/memory.pressure`);
  const events = readEventTexts(directory, before?.events);
  return { pressure, events, ...readUsage(directory) };
}

/** Returns the sample of a pod by the texts of its files; throws an Error that names the file. */
export function podSampleIn({ podUid, directory }: KubepodsPod, texts: PodTexts): PodSample {
  const { pressure } = texts;
  const events = texts.events && memoryEventsIn(texts.events);
  const readMetLimit = (name: string) =>
    events !== undefined && hasEvents(events) ? readLimit(`${directory}/${name}`) : undefined;
  const stat = parseMemoryStat(texts.stat);
  return {
    podUid,
    ...figuresIn(texts, stat),
    ...cacheIn(stat),
    swappableBytes: swappableIn(stat),
    memoryMaxBytes: readMetLimit("memory.max"),
    memoryHighBytes: readMetLimit("memory.high"),
    memoryPressure:
      pressure === undefined ? undefined : parsePressure(pressure, `${directory}/memory.pressure`),
    events,
  };
}

/**
 * Samples one container, on cgroup v2; undefined if it is gone. Throws an Error that names the file. Events of its pod
 * that show no encounter with a limit save reading the container's.
 */
export function sampleContainer(
  container: KubepodsContainer,
  ofPod?: MemoryEvents,
): ContainerSample | undefined {
  const scope = scopeOf(container);
  return unlessMissing(() => {
    const memoryPressure = readPressure(`${scope}/memory.pressure`);
    const events = ofPod !== undefined && !hasEvents(ofPod) ? NO_EVENTS : readMemoryEvents(scope);
    const usage = sampleContainerUsage(container);
    return usage && { ...usage, memoryPressure, events };
  });
}

/** Samples one container as sampleContainer does, but without its pressure and its events, which no decision needs. */
export function sampleContainerUsage(container: KubepodsContainer): ContainerSample | undefined {
  const { containerId: id, podUid } = container;
  const scope = scopeOf(container);
  return unlessMissing(() => {
    const usage = readUsage(scope);
    const stat = parseMemoryStat(usage.stat);
    return {
      id,
      podUid,
      ...figuresIn(usage, stat),
      ...cacheIn(stat),
      swappableBytes: swappableIn(stat),
      swapLimitBytes: readContainerSwapLimit(container),
      ...{ memoryPressure: undefined, events: undefined },
    };
  });
}

/** Reads the lowest swap limit of a container's own cgroups, Infinity for none; throws an Error that names the file. */
export function readContainerSwapLimit({ cgroup }: KubepodsContainer): number {
  const scope = cgroup.own.at(-1) ?? "";
  // Under crun, the process is in a child of the scope: the kubelet's limit is the child's, and the scope's may be higher.
  const below = cgroup.own
    .slice(0, -1)
    .map((level) => unlessMissing(() => readLimit(`${level}/memory.swap.max`)));
  return Math.min(readLimit(`${scope}/memory.swap.max`), ...below.filter((limit) => limit !== undefined));
}

/**
 * Returns the memory that can be swapped out. Locked pages and those of a tmpfs that is mounted with noswap, as the kubelet
 * mounts memory-backed volumes, are unevictable (kernel mm/shmem.c, shmem_get_inode).
 */
function swappableIn({ anonBytes, shmemBytes, unevictableBytes }: MemoryStat): number {
  return Math.max(0, anonBytes + shmemBytes - unevictableBytes);
}

function scopeOf({ cgroup }: KubepodsContainer): string {
  return cgroup.own.at(-1) ?? "";
}

/** Texts of the files with a cgroup's memory and swap. */
interface UsageTexts {
  readonly stat: string;
  readonly memory: string;
  readonly swap: string;
}

function readUsage(directory: string): UsageTexts {
  return {
    stat: readRecord(`${directory}/memory.stat`),
    memory: readRecord(`${directory}/memory.current`),
    swap: readRecord(`${directory}/memory.swap.current`),
  };
}

function figuresIn({ memory, swap }: UsageTexts, stat: MemoryStat): CgroupSample {
  return {
    memoryBytes: Number(memory),
    inactiveFileBytes: stat.inactiveFileBytes,
    anonBytes: stat.anonBytes,
    swapBytes: Number(swap),
    anonRefaults: stat.anonRefaults,
    fileRefaults: stat.fileRefaults,
  };
}

/** Page cache, and pages that are in memory and in swap. */
function cacheIn({ fileBytes, shmemBytes, swapCachedBytes }: MemoryStat) {
  return { fileBytes, shmemBytes, swapCachedBytes };
}
