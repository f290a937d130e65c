import { existsSync, readdirSync, statSync } from "node:fs";
import {
  type KubepodsCgroup,
  parseKubepodsChild,
  parseKubepodsPath,
  type QosClass,
} from "../policy/kubernetes/pod-cgroup.ts";
import type { ContainerCgroup } from "./container-cgroup.ts";
import { unlessGone } from "./file.ts";

/** A root of the pods' cgroups, in the memory controller's hierarchy. */
export interface Kubepods {
  readonly version: 1 | 2;
  /** The directory where the hierarchy is mounted. */
  readonly mount: string;
  /** The cgroup's path below the mount point, with a slash in front. */
  readonly path: string;
}

/** A container as its cgroup tells of it; the pause container of a pod's sandbox is one too. */
export interface KubepodsContainer {
  readonly podUid: string;
  readonly qosClass: QosClass;
  readonly containerId: string;
  readonly cgroup: ContainerCgroup;
}

// A --cgroup-root of the kubelet may be one or two levels; a kubelet that is itself in a container has some more.
const SEARCH_LEVELS = 4;

/**
 * Finds the kubepods cgroups in `sys/fs/cgroup` below fsroot, for either cgroup driver, also below a --cgroup-root;
 * none where no kubelet has run. Those that stand inside of another's pods are left out.
 */
export function findKubepods(fsroot: string): Kubepods[] {
  const hierarchy = memoryHierarchy(fsroot);
  const search = (path: string, levels: number): Kubepods[] => {
    if (parseKubepodsPath(path)?.level === "kubepods") return [{ ...hierarchy, path }];
    if (levels === 0) return [];
    return childNames(hierarchy.mount + path).flatMap((name) => search(`${path}/${name}`, levels - 1));
  };
  return search("", SEARCH_LEVELS);
}

// Where memory is a v1 controller, v2 may be mounted too, but not in this place.
function memoryHierarchy(fsroot: string): Pick<Kubepods, "version" | "mount"> {
  const mount = `${fsroot}/sys/fs/cgroup`;
  const isV1 = existsSync(`${mount}/memory`) && !existsSync(`${mount}/cgroup.controllers`);
  return isV1 ? { version: 1, mount: `${mount}/memory` } : { version: 2, mount };
}

/** Finds every container below a kubepods cgroup; one that goes meanwhile is left out. */
export function scanContainers(kubepods: Kubepods): KubepodsContainer[] {
  const scan = (path: string, cgroup: KubepodsCgroup): KubepodsContainer[] => {
    const children = kubepodsChildren(kubepods, path, cgroup);
    if (cgroup.level === "container") return [describeContainer(kubepods, path, cgroup, children.keys())];
    return [...children].flatMap(([name, child]) => scan(`${path}/${name}`, child));
  };
  return scan(kubepods.path, { level: "kubepods" });
}

/** Reads the cgroups directly below one, by name, as far as they belong to the tree; none when it is gone. */
export function kubepodsChildren(
  kubepods: Kubepods,
  path: string,
  cgroup: KubepodsCgroup,
): Map<string, KubepodsCgroup> {
  const children = new Map<string, KubepodsCgroup>();
  for (const name of childNames(kubepods.mount + path)) {
    const child = parseKubepodsChild(cgroup, `${path}/${name}`);
    if (child !== undefined) children.set(name, child);
  }
  return children;
}

/** Describes the container at a path; its own levels are those named, which stand directly in it, and its scope. */
export function describeContainer(
  { version, mount }: Kubepods,
  path: string,
  { pod, containerId }: KubepodsCgroup & { level: "container" },
  childLevels: Iterable<string>,
): KubepodsContainer {
  const scope = mount + path;
  const own = [...[...childLevels].map((name) => `${scope}/${name}`), scope];
  const ancestors: string[] = [];
  for (let level = parentOf(path); level !== ""; level = parentOf(level)) ancestors.push(mount + level);
  return { podUid: pod.podUid, qosClass: pod.qosClass, containerId, cgroup: { version, own, ancestors } };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function childNames(directory: string): string[] {
  if (isLeaf(directory)) return [];
  const entries = unlessGone(() => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

// A directory of cgroupfs has one link from above, one from itself, and one from each directory in it: most cgroups of a
// node have none, but tens of files that would have to be read through.
function isLeaf(directory: string): boolean {
  return unlessGone(() => statSync(directory).nlink) === 2;
}
