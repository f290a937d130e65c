import { existsSync } from "node:fs";
import type { KnownFacts } from "../../../policy/install/check/facts.ts";
import { readFile, readFileIfThere } from "../../file.ts";
import { findKubepods } from "../../kubepods.ts";
import { readPressure } from "../../psi.ts";
import { sampleKubepods, sampleNode } from "../../snapshot.ts";
import { namesIn } from "./unit-files.ts";

/** Tells which version of cgroups has memory below fsroot; throws an error where neither is mounted. */
export function readCgroupVersion(fsroot: string): 1 | 2 {
  const mount = `${fsroot}/sys/fs/cgroup`;
  if (existsSync(`${mount}/cgroup.controllers`)) return 2;
  if (namesIn(mount).length > 0) return 1;
  throw new Error(`${mount}: no cgroups are mounted there`);
}

/** Tells whether a cgroup below the root has a limit of swap; throws an error where no cgroup is to be seen. */
export function readCanLimitSwap(fsroot: string): boolean {
  const mount = `${fsroot}/sys/fs/cgroup`;
  if (readCgroupVersion(fsroot) === 1) return existsSync(`${mount}/memory/memory.memsw.limit_in_bytes`);
  const groups = childrenOf(mount);
  if (groups.some((group) => existsSync(`${group}/memory.swap.max`))) return true;
  const hasMemory = readFile(`${mount}/cgroup.controllers`).split(/\s+/).includes("memory");
  if (hasMemory && !groups.some((group) => existsSync(`${group}/memory.max`)))
    throw new Error(
      `${mount}: no cgroup in it has the memory controller, so whether swap can be limited is not to be seen`,
    );
  return false;
}

/** Tells whether the kernel tells of stalled work; throws an error that names the file that cannot be read. */
export function readPressureFacts(fsroot: string): KnownFacts["pressure"] {
  const node = readPressure(`${fsroot}/proc/pressure/memory`) !== undefined;
  if (readCgroupVersion(fsroot) === 1) return { node, cgroups: false };
  const [group] = childrenOf(`${fsroot}/sys/fs/cgroup`).filter((one) => existsSync(`${one}/memory.max`));
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

function childrenOf(mount: string): string[] {
  return namesIn(mount)
    .map((name) => `${mount}/${name}`)
    .filter((path) => existsSync(`${path}/cgroup.procs`));
}
