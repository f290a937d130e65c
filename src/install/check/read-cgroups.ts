import { existsSync } from "node:fs";
import { cgroupsIn, readCgroupVersion } from "../../host/cgroup-support.ts";
import { readFileIfThere } from "../../host/file.ts";
import { findKubepods } from "../../host/kubepods.ts";
import { readPressure } from "../../host/psi.ts";
import { sampleKubepods, sampleNode } from "../../host/snapshot.ts";
import type { KnownFacts } from "./facts.ts";

/** Tells whether the kernel tells of stalled work; throws an error that names the file that cannot be read. */
export function readPressureFacts(fsroot: string): KnownFacts["pressure"] {
  const node = readPressure(`${fsroot}/proc/pressure/memory`) !== undefined;
  if (readCgroupVersion(fsroot) === 1) return { node, cgroups: false };
  const [group] = cgroupsIn(`${fsroot}/sys/fs/cgroup`).filter((one) => existsSync(`${one}/memory.max`));
  return {
    node,
    cgroups: group === undefined ? undefined : readPressure(`${group}/memory.pressure`) !== undefined,
  };
}

/** Reads what system.slice has in force, on cgroup v2; undefined where there is none. */
export function readSystemSlice(fsroot: string): KnownFacts["systemSlice"] {
  const directory = `${fsroot}/sys/fs/cgroup/system.slice`;
  const swapMax = readFileIfThere(`${directory}/memory.swap.max`)?.trim();
  return swapMax === undefined
    ? undefined
    : { swapMax, ioLatency: readFileIfThere(`${directory}/io.latency`) };
}

/** Reads what pods take, on cgroup v2; undefined where none are. Throws an error that names the file that cannot be read. */
export function readPods(fsroot: string): KnownFacts["pods"] {
  const [first] = findKubepods(fsroot);
  const kubepods = first?.version === 2 ? sampleKubepods(first) : undefined;
  return kubepods && { node: sampleNode(fsroot), kubepods };
}
