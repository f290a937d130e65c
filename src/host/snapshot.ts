import type {
  CgroupSample,
  ContainerSample,
  KubepodsSample,
  NodeSample,
} from "../policy/eviction/snapshot.ts";
import { readFile, unlessMissing } from "./file.ts";
import { valueOfKey } from "./key-values.ts";
import type { Kubepods, KubepodsContainer } from "./kubepods.ts";
import { readNodeMemory } from "./meminfo.ts";
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
    directScans: undefined,
    kswapdScans: undefined,
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
      ...sampleCgroup(scope, stat),
      swappableBytes: Math.max(0, swappableBytes),
      swapLimitBytes: readLimit(`${scope}/memory.swap.max`),
      ...{ fileBytes: undefined, shmemBytes: undefined, swapCachedBytes: undefined },
      ...{ memoryPressure: undefined, events: undefined },
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
