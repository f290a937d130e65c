import { existsSync } from "node:fs";
import { namesIn } from "./directory.ts";
import { readFile } from "./file.ts";

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
  const groups = cgroupsIn(mount);
  if (groups.some((group) => existsSync(`${group}/memory.swap.max`))) return true;
  const hasMemory = readFile(`${mount}/cgroup.controllers`).split(/\s+/).includes("memory");
  if (hasMemory && !groups.some((group) => existsSync(`${group}/memory.max`)))
    throw new Error(
      `${mount}: no cgroup in it has the memory controller, so whether swap can be limited is not to be seen`,
    );
  return false;
}

/** Directories of the cgroups directly below a mount point of cgroups. */
export function cgroupsIn(mount: string): string[] {
  return namesIn(mount)
    .map((name) => `${mount}/${name}`)
    .filter((path) => existsSync(`${path}/cgroup.procs`));
}
