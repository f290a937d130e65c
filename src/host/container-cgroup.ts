import type { PodCgroup } from "../policy/kubernetes/pod-cgroup.ts";
import { CGROUP_LAYOUTS, type CgroupVersion } from "./cgroup-layout.ts";
import { readFileIfThere } from "./file.ts";

/** Cgroups of a container in the memory controller's hierarchy. */
export interface ContainerCgroup {
  readonly version: CgroupVersion;
  /** Directories of the container alone, from its process's cgroup up to its scope. */
  readonly own: readonly string[];
  /** Directories above them, from the pod's cgroup up to the root of the hierarchy, without the root. */
  readonly ancestors: readonly string[];
}

/**
 * Finds the cgroup of a container by the pid of its first process, in `proc` and `sys/fs/cgroup` below fsroot; throws
 * an Error if the process is gone, or is not in the cgroup that its OCI config names.
 *
 * crun moves the process to a child of the scope: both have limits, and both are the container's own.
 */
export function locateContainerCgroup(fsroot: string, pid: number, podCgroup: PodCgroup): ContainerCgroup {
  const { version, path } = memoryCgroupOf(fsroot, pid);
  const scope = upToSegment(path, podCgroup.containerSegment);
  if (scope === undefined) {
    throw new Error(
      `process ${pid} is not in ${podCgroup.containerSegment}, as its config says, but in ${path}`,
    );
  }
  const mount = fsroot + CGROUP_LAYOUTS[version].mount;
  const own: string[] = [];
  const ancestors: string[] = [];
  for (let level = path; level !== ""; level = level.slice(0, level.lastIndexOf("/"))) {
    (level.length >= scope.length ? own : ancestors).push(mount + level);
  }
  return { version, own, ancestors };
}

/** Returns the start of a path up to a segment, which has to match whole names; undefined without a match. */
function upToSegment(path: string, segment: string): string | undefined {
  const at = path.indexOf(`/${segment}`);
  const upTo = path.slice(0, at + 1 + segment.length);
  const isWhole = path === upTo || path.startsWith(`${upTo}/`);
  // In another cgroup namespace, a path begins with `/..`.
  return at >= 0 && isWhole && !path.includes("/..") ? upTo : undefined;
}

function memoryCgroupOf(fsroot: string, pid: number): { version: CgroupVersion; path: string } {
  const file = `${fsroot}/proc/${pid}/cgroup`;
  const text = readFileIfThere(file);
  if (text === undefined) throw new Error(`process ${pid} is gone: no ${file}`);
  const cgroup = parseMemoryCgroup(text);
  if (cgroup === undefined) throw new Error(`${file}: neither a memory controller nor cgroup v2 in it`);
  return cgroup;
}

// Lines are `hierarchy:controller,controller:path`, and a path may contain colons (cgroups(7)). Where memory is a v1
// controller, v2 may be mounted beside it, without memory: its line is the last.
function parseMemoryCgroup(text: string): { version: CgroupVersion; path: string } | undefined {
  for (const line of text.split("\n")) {
    const [hierarchy, controllers = "", ...path] = line.split(":");
    if (controllers.split(",").includes("memory")) return { version: 1, path: path.join(":") };
    if (hierarchy === "0") return { version: 2, path: path.join(":") };
  }
  return undefined;
}
