import type { PodCgroup } from "../policy/pod-cgroup.ts";
import { readFileIfThere } from "./file.ts";

/** Where a container stands in the memory controller's hierarchy. */
export interface ContainerCgroup {
  readonly version: 1 | 2;
  /** Directories that belong to the container alone, from its process's cgroup up to its scope. */
  readonly own: readonly string[];
  /** Directories above them, from the pod's cgroup up to the hierarchy's root, which is left out. */
  readonly ancestors: readonly string[];
}

/**
 * Finds the cgroup of a container by the pid of its first process, in `proc` and `sys/fs/cgroup` below fsroot;
 * throws when the process is gone, or is not in the cgroup that its OCI config names.
 *
 * crun puts the process into a child of the scope; both limit it, and both are the container's own.
 */
export function locateContainerCgroup(fsroot: string, pid: number, podCgroup: PodCgroup): ContainerCgroup {
  const { version, path } = memoryCgroupOf(fsroot, pid);
  const segments = path.split("/").filter((segment) => segment !== "");
  const expected = podCgroup.containerSegment.split("/");
  const scopeDepth =
    1 + segments.findIndex((_, index) => expected.every((name, i) => segments[index + i] === name));
  if (scopeDepth === 0 || segments.includes("..")) {
    throw new Error(
      `process ${pid} is not in ${podCgroup.containerSegment}, as its config says, but in ${path}`,
    );
  }
  const mount = version === 2 ? `${fsroot}/sys/fs/cgroup` : `${fsroot}/sys/fs/cgroup/memory`;
  const directories = segments.map((_, index) => `${mount}/${segments.slice(0, index + 1).join("/")}`);
  const firstOwn = scopeDepth - 1 + expected.length - 1;
  return {
    version,
    own: directories.slice(firstOwn).reverse(),
    ancestors: directories.slice(0, firstOwn).reverse(),
  };
}

function memoryCgroupOf(fsroot: string, pid: number): { version: 1 | 2; path: string } {
  const file = `${fsroot}/proc/${pid}/cgroup`;
  const text = readFileIfThere(file);
  if (text === undefined) throw new Error(`process ${pid} is gone: no ${file}`);
  const entries = text.trimEnd().split("\n").map(parseEntry);
  const legacy = entries.find((entry) => entry.controllers.includes("memory"));
  if (legacy !== undefined) return { version: 1, path: legacy.path };
  const unified = entries.find((entry) => entry.hierarchy === "0");
  if (unified === undefined) throw new Error(`${file}: no memory controller and no cgroup v2 in it`);
  return { version: 2, path: unified.path };
}

// Lines are `hierarchy:controller,controller:path`, and a path may hold colons (cgroups(7)).
function parseEntry(line: string): { hierarchy: string; controllers: string[]; path: string } {
  const [hierarchy = "", controllers = "", ...path] = line.split(":");
  return { hierarchy, controllers: controllers.split(","), path: path.join(":") };
}
