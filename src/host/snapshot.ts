import type {
  CgroupSample,
  ContainerSample,
  KubepodsSample,
  NodeSample,
  PodSample,
} from "../policy/eviction/snapshot.ts";
import { readFile, unlessMissing } from "./file.ts";
import { valueOfKey } from "./key-values.ts";
import type { Kubepods, KubepodsContainer, KubepodsPod } from "./kubepods.ts";
import { readNodeMemory } from "./meminfo.ts";
import { readMemoryEvents } from "./memory-events.ts";
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
    const stat = readFile(`${directory}/memory.stat`);
    return {
      podUid,
      // Read before the files that a cgroup has to have: were it gone by then, nothing of it would be shown.
      ...sampleLimitedCgroup(directory, stat),
      ...sampleCgroup(directory, stat),
      memoryMaxBytes: readLimit(`${directory}/memory.max`),
      memoryHighBytes: readLimit(`${directory}/memory.high`),
    };
  });
}

/** Samples one container, on cgroup v2; undefined if it is gone. Throws an Error that names the file. */
export function sampleContainer({
  containerId,
  podUid,
  cgroup,
}: KubepodsContainer): ContainerSample | undefined {
  const scope = cgroup.own.at(-1) ?? "";
  return unlessMissing(() => {
    const stat = readFile(`${scope}/memory.stat`);
    const swappableBytes =
      valueOfKey(stat, "anon") + valueOfKey(stat, "shmem") - valueOfKey(stat, "unevictable");
    return {
      id: containerId,
      podUid,
      ...sampleLimitedCgroup(scope, stat),
      ...sampleCgroup(scope, stat),
      swappableBytes: Math.max(0, swappableBytes),
      swapLimitBytes: readLimit(`${scope}/memory.swap.max`),
    };
  });
}

function sampleCgroup(directory: string, stat = readFile(`${directory}/memory.stat`)): CgroupSample {
  return {
    memoryBytes: Number(readFile(`${directory}/memory.current`)),
    inactiveFileBytes: valueOfKey(stat, "inactive_file"),
    anonBytes: valueOfKey(stat, "anon"),
    swapBytes: Number(readFile(`${directory}/memory.swap.current`)),
    anonRefaults: valueOfKey(stat, "workingset_refault_anon"),
    fileRefaults: valueOfKey(stat, "workingset_refault_file"),
  };
}

/** Figures of a pod or container, which may have limits of its own. */
function sampleLimitedCgroup(directory: string, stat: string) {
  return {
    memoryPressure: readPressure(`${directory}/memory.pressure`),
    events: readMemoryEvents(directory),
    fileBytes: valueOfKey(stat, "file"),
    shmemBytes: valueOfKey(stat, "shmem"),
    swapCachedBytes: valueOfKey(stat, "swapcached"),
  };
}
