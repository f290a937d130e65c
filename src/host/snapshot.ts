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
import { hasEvents, NO_EVENTS, readMemoryEvents } from "./memory-events.ts";
import { readPressure } from "./psi.ts";
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
  return unlessMissing(() => ({
    ...sampleCgroup(directory),
    memoryMaxBytes: readLimit(`${directory}/memory.max`),
    memoryHighBytes: readLimit(`${directory}/memory.high`),
    memoryPressure: readPressure(`${directory}/memory.pressure`),
  }));
}

/** Samples a pod's own cgroup, on cgroup v2; undefined if it is gone. Throws an Error that names the file. */
export function samplePod({ podUid, directory }: KubepodsPod): PodSample | undefined {
  return unlessMissing(() => {
    // Read before the files that a cgroup has to have: were it gone by then, nothing of it would be shown.
    const memoryPressure = readPressure(`${directory}/memory.pressure`);
    const events = readMemoryEvents(directory);
    const readMetLimit = (name: string) =>
      events !== undefined && hasEvents(events) ? readLimit(`${directory}/${name}`) : undefined;
    const stat = readRecord(`${directory}/memory.stat`);
    return {
      podUid,
      ...sampleCgroup(directory, stat),
      ...cacheIn(stat),
      swappableBytes: swappableIn(stat),
      memoryMaxBytes: readMetLimit("memory.max"),
      memoryHighBytes: readMetLimit("memory.high"),
      ...{ memoryPressure, events },
    };
  });
}

/**
 * Samples one container, on cgroup v2; undefined if it is gone. Throws an Error that names the file. Events of its pod
 * that show no encounter with a limit save reading the container's.
 */
export function sampleContainer(
  { containerId, podUid, cgroup }: KubepodsContainer,
  ofPod?: MemoryEvents,
): ContainerSample | undefined {
  const scope = cgroup.own.at(-1) ?? "";
  return unlessMissing(() => {
    const memoryPressure = readPressure(`${scope}/memory.pressure`);
    const events = ofPod !== undefined && !hasEvents(ofPod) ? NO_EVENTS : readMemoryEvents(scope);
    const stat = readRecord(`${scope}/memory.stat`);
    return {
      id: containerId,
      podUid,
      ...sampleCgroup(scope, stat),
      ...cacheIn(stat),
      swappableBytes: swappableIn(stat),
      swapLimitBytes: readSwapLimit(scope, cgroup.own.slice(0, -1)),
      ...{ memoryPressure, events },
    };
  });
}

// Under crun, the process is in a child of the scope: the kubelet's limit is the child's, and the scope's may be higher.
function readSwapLimit(scope: string, levelsBelow: readonly string[]): number {
  const limits = levelsBelow.map((level) => unlessMissing(() => readLimit(`${level}/memory.swap.max`)));
  return Math.min(readLimit(`${scope}/memory.swap.max`), ...limits.filter((limit) => limit !== undefined));
}

/**
 * Memory that can be swapped out. Locked pages and those of a tmpfs that is mounted with noswap, as the kubelet mounts
 * memory-backed volumes, are unevictable (kernel mm/shmem.c, shmem_get_inode).
 */
function swappableIn(stat: string): number {
  const bytes = valueOfKey(stat, "anon") + valueOfKey(stat, "shmem") - valueOfKey(stat, "unevictable");
  return Math.max(0, bytes);
}

function sampleCgroup(directory: string, stat = readRecord(`${directory}/memory.stat`)): CgroupSample {
  return {
    memoryBytes: Number(readRecord(`${directory}/memory.current`)),
    inactiveFileBytes: valueOfKey(stat, "inactive_file"),
    anonBytes: valueOfKey(stat, "anon"),
    swapBytes: Number(readRecord(`${directory}/memory.swap.current`)),
    anonRefaults: valueOfKey(stat, "workingset_refault_anon"),
    fileRefaults: valueOfKey(stat, "workingset_refault_file"),
  };
}

/** Page cache in memory.stat, and pages that are in memory and in swap. */
function cacheIn(stat: string) {
  return {
    fileBytes: valueOfKey(stat, "file"),
    shmemBytes: valueOfKey(stat, "shmem"),
    swapCachedBytes: valueOfKey(stat, "swapcached"),
  };
}
