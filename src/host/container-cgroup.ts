import type { PodCgroup } from "../policy/kubernetes/pod-cgroup.ts";
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
  const scope = upToSegment(path, podCgroup.containerSegment);
  if (scope === undefined) {
    throw new Error(
      `process ${pid} is not in ${podCgroup.containerSegment}, as its config says, but in ${path}`,
    );
  }
  const mount = version === 2 ? `${fsroot}/sys/fs/cgroup` : `${fsroot}/sys/fs/cgroup/memory`;
  const own: string[] = [];
  const ancestors: string[] = [];
  for (let level = path; level !== ""; level = level.slice(0, level.lastIndexOf("/"))) {
    (level.length >= scope.length ? own : ancestors).push(mount + level);
  }
  return { version, own, ancestors };
}

/** The beginning of a path up to the whole names that are looked for; undefined without them. */
function upToSegment(path: string, segment: string): string | undefined {
  const at = path.indexOf(`/${segment}`);
  const upTo = path.slice(0, at + 1 + segment.length);
  const isWhole = path === upTo || path.startsWith(`${upTo}/`);
  // Seen from another cgroup namespace, a path begins with `/..`.
  return at >= 0 && isWhole && !path.includes("/..") ? upTo : undefined;
}

function memoryCgroupOf(fsroot: string, pid: number): { version: 1 | 2; path: string } {
  const file = `${fsroot}/proc/${pid}/cgroup`;
  const text = readFileIfThere(file);
  if (text === undefined) throw new Error(`process ${pid} is gone: no ${file}`);
  const cgroup = parseMemoryCgroup(text);
  if (cgroup === undefined) throw new Error(`${file}: neither a memory controller nor cgroup v2 in it`);
  return cgroup;
}

// Lines are `hierarchy:controller,controller:path`, and a path may hold colons (cgroups(7)). Where memory is a v1
// controller, v2 may be mounted beside it, without memory: its line is the last.
function parseMemoryCgroup(text: string): { version: 1 | 2; path: string } | undefined {
  for (const line of text.split("\n")) {
    const [hierarchy, controllers = "", ...path] = line.split(":");
    if (controllers.split(",").includes("memory")) return { version: 1, path: path.join(":") };
    if (hierarchy === "0") return { version: 2, path: path.join(":") };
  }
  return undefined;
}
