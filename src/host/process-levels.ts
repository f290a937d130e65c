import { readdirSync, statSync } from "node:fs";
import { CRUN_CHILD } from "../policy/kubernetes/pod-cgroup.ts";
import { readRecord, unlessGone } from "./file.ts";
import { SystemError } from "./libc.ts";

// Deepest level below a container's scope that counts as the container's own: what is deeper, its workload has made. crun
// makes one or two: its subgroup may be a path, or have the container's delegated cgroup below it (crun.1.md,
// run.oci.systemd.subgroup and run.oci.delegate-cgroup).
const MAX_CHILD_DEPTH = 2;
// A workload with many cgroups of its own has made them itself.
const MAX_CHILDREN = 16;

/**
 * Returns the name of the cgroup below a container's scope in which its runtime started the container; undefined if it runs
 * in the scope itself. By its name, or else by the processes: all of them are there. What a workload that runs in several
 * cgroups has made below is its own affair. `depth` is that of the child below the scope.
 */
export function processChildOf(directory: string, depth: number): string | undefined {
  if (depth > MAX_CHILD_DEPTH || isLeaf(directory)) return undefined;
  const names = childNames(directory);
  if (depth === 1 && names.includes(CRUN_CHILD)) return CRUN_CHILD;
  if (names.length > MAX_CHILDREN || hasProcesses(directory) !== false) return undefined;
  const [only, ...others] = names.filter((name) => isPopulated(`${directory}/${name}`) === true);
  return others.length === 0 ? only : undefined;
}

/** Reads whether processes are in a cgroup or below it; undefined where the kernel does not say, as on cgroup v1. */
export function isPopulated(directory: string): boolean | undefined {
  const events = unlessUnreadable(() => readRecord(`${directory}/cgroup.events`));
  return events === undefined ? undefined : /^populated 1$/m.test(events);
}

/** Lists the cgroups directly below another one; empty if it is gone. */
export function childNames(directory: string): string[] {
  if (isLeaf(directory)) return [];
  const entries = unlessGone(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function hasProcesses(directory: string): boolean | undefined {
  const processes = unlessUnreadable(() => readRecord(`${directory}/cgroup.procs`));
  return processes === undefined ? undefined : processes.trim() !== "";
}

// A directory of cgroupfs has one link from its parent, one from itself, and one from each child. Most cgroups of a
// node have no children, but tens of files that a listing would have to skip.
function isLeaf(directory: string): boolean {
  return unlessGone(() => statSync(directory).nlink) === 2;
}

// Processes of a threaded cgroup cannot be read (kernel Documentation/admin-guide/cgroup-v2.rst, Threads).
function unlessUnreadable(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
