import { existsSync } from "node:fs";
import { cgroupsIn, readCgroupVersion } from "../../host/cgroup-support.ts";
import { findContainerRoots, findKubepods, scanContainers } from "../../host/kubepods.ts";
import { readPressure } from "../../host/psi.ts";
import { sampleKubepods, sampleNode } from "../../host/snapshot.ts";
import type { KnownFacts } from "./facts.ts";

/** Reads whether the kernel has pressure stall figures; throws an error with the path of an unreadable file. */
export function readPressureFacts(fsroot: string): KnownFacts["pressure"] {
  const node = readPressure(`${fsroot}/proc/pressure/memory`) !== undefined;
  if (readCgroupVersion(fsroot) === 1) return { node, cgroups: false };
  const [group] = cgroupsIn(`${fsroot}/sys/fs/cgroup`).filter((one) => existsSync(`${one}/memory.max`));
  return {
    node,
    cgroups: group === undefined ? undefined : readPressure(`${group}/memory.pressure`) !== undefined,
  };
}

/** Reads the memory of the node and of its pods, on cgroup v2; undefined without pods. Throws an error that names the file. */
export function readPods(fsroot: string): KnownFacts["pods"] {
  const [first] = findKubepods(fsroot);
  const kubepods = first?.version === 2 ? sampleKubepods(first) : undefined;
  return kubepods && { node: sampleNode(fsroot), kubepods };
}

/** Reads where containers of pods are outside of kubepods. */
export function readLooseContainers(fsroot: string): KnownFacts["looseContainers"] {
  return findContainerRoots(fsroot)
    .filter(({ level }) => level === "loose")
    .map((root) => ({ cgroup: root.path || "/", count: scanContainers(root).length }));
}
