import { existsSync } from "node:fs";
import { CGROUP_LAYOUTS, CGROUP_ROOT, type CgroupVersion } from "./cgroup-layout.ts";
import { namesIn } from "./directory.ts";
import { readFile } from "./file.ts";

/** Returns true if cgroup v2 is mounted below fsroot, and not cgroup v1. */
export function isCgroupV2(fsroot: string): boolean {
  return existsSync(`${fsroot}${CGROUP_ROOT}/cgroup.controllers`);
}

/** Returns the version of cgroups below fsroot; throws an Error where neither is mounted. */
export function readCgroupVersion(fsroot: string): CgroupVersion {
  if (isCgroupV2(fsroot)) return 2;
  const root = fsroot + CGROUP_ROOT;
  if (namesIn(root).length > 0) return 1;
  throw new Error(`${root}: no cgroups are mounted there`);
}

/** Returns true if the kernel has the files of swap limits; throws an Error where no cgroup shows it. */
export function readCanLimitSwap(fsroot: string): boolean {
  const { mount, swapLimitFile, hasRootLimits } = CGROUP_LAYOUTS[readCgroupVersion(fsroot)];
  const root = fsroot + mount;
  if (hasRootLimits) return existsSync(`${root}/${swapLimitFile}`);
  const groups = cgroupsIn(root);
  if (groups.some((group) => existsSync(`${group}/${swapLimitFile}`))) return true;
  const hasMemory = readFile(`${root}/cgroup.controllers`).split(/\s+/).includes("memory");
  if (hasMemory && !groups.some((group) => existsSync(`${group}/memory.max`)))
    throw new Error(
      `${root}: no cgroup in it has the memory controller, so support of swap limits is unknown`,
    );
  return false;
}

/** Lists the directories of the cgroups directly below a mount point of cgroups. */
export function cgroupsIn(mount: string): string[] {
  return namesIn(mount)
    .map((name) => `${mount}/${name}`)
    .filter((path) => existsSync(`${path}/cgroup.procs`));
}
