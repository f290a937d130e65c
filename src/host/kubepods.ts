import { existsSync } from "node:fs";
import {
  type KubepodsCgroup,
  parseKubepodsChild,
  parseKubepodsPath,
  parseLooseContainer,
  podUidOfCgroup,
  type QosClass,
} from "../policy/kubernetes/pod-cgroup.ts";
import { CGROUP_LAYOUTS, type CgroupVersion } from "./cgroup-layout.ts";
import { isCgroupV2 } from "./cgroup-support.ts";
import type { ContainerCgroup } from "./container-cgroup.ts";
import { childNames, processChildOf } from "./process-levels.ts";

/** Root of the pods' cgroups, in the memory controller's hierarchy. */
export interface Kubepods {
  readonly version: CgroupVersion;
  /** Mount point of the hierarchy. */
  readonly mount: string;
  /** Path of the cgroup below the mount point, with a leading slash. */
  readonly path: string;
}

/** Container as its cgroup describes it; pause containers are included. */
export interface KubepodsContainer {
  readonly podUid: string;
  readonly qosClass: QosClass;
  readonly containerId: string;
  readonly cgroup: ContainerCgroup;
  /** True for a pod's own cgroup in the place of its containers', which run in one sandbox; its id is the pod's UID. */
  readonly isSandbox?: boolean;
}

/** Pod as its cgroup describes it. */
export interface KubepodsPod {
  /** UID in the cgroup's name: a static pod's is the hash of its manifest. */
  readonly podUid: string;
  /** Directory of the pod's own cgroup. */
  readonly directory: string;
}

/** Cgroup below which containers are: kubepods, or a loose one, which is the parent of containers outside of kubepods. */
export interface ContainerRoot extends Kubepods {
  readonly level: "kubepods" | "loose";
}

// A kubelet in a container or in a user's session has its kubepods many levels down.
const SEARCH_LEVELS = 16;
// One search visits the upper levels of any node: most have some hundred cgroups beside those of pods.
const MAX_VISITS = 4096;

/**
 * Finds the kubepods cgroups in `sys/fs/cgroup` below fsroot, for both cgroup drivers, also below a --cgroup-root;
 * empty where no kubelet has run. Those inside another one's pods are skipped.
 */
export function findKubepods(fsroot: string): Kubepods[] {
  return findContainerRoots(fsroot).flatMap(({ level, ...kubepods }) =>
    level === "kubepods" ? [kubepods] : [],
  );
}

/** Finds the kubepods cgroups as findKubepods does, and the cgroups with containers outside of them. */
export function findContainerRoots(fsroot: string): ContainerRoot[] {
  const hierarchy = memoryHierarchy(fsroot);
  const roots: ContainerRoot[] = [];
  visitCgroups(fsroot, (path, names) => {
    if (parseKubepodsPath(path)?.level === "kubepods") {
      roots.push({ ...hierarchy, path, level: "kubepods" });
      return [];
    }
    const others = names.filter((name) => parseLooseContainer(name) === undefined);
    if (others.length < names.length) roots.push({ ...hierarchy, path, level: "loose" });
    return others;
  });
  return roots;
}

/**
 * Finds the cgroups of containers that are nowhere else, by the ids in their names, whatever is above them. Skips the given
 * directories, which are those of known containers. Returns them by id.
 */
export function findContainersById(
  fsroot: string,
  ids: ReadonlySet<string>,
  skipped: ReadonlySet<string>,
): Map<string, ContainerCgroup> {
  const hierarchy = memoryHierarchy(fsroot);
  const found = new Map<string, ContainerCgroup>();
  visitCgroups(fsroot, (path, names) => {
    const parts = path.slice(path.lastIndexOf("/") + 1).split(/[^0-9A-Za-z]+/);
    const id = parts.find((part) => ids.has(part));
    const directory = hierarchy.mount + path;
    if (id !== undefined && !parts.includes("conmon")) found.set(id, describeDirectory(hierarchy, directory));
    return id === undefined ? names.filter((name) => !skipped.has(`${directory}/${name}`)) : [];
  });
  return found;
}

/**
 * Visits cgroups of the memory controller's hierarchy, the upper ones first, up to a number that bounds the time; `visit`
 * takes a path and the names of its children, and returns those to visit.
 */
function visitCgroups(
  fsroot: string,
  visit: (path: string, names: readonly string[]) => readonly string[],
): void {
  const { mount } = memoryHierarchy(fsroot);
  let visits = 0;
  let level = [""];
  for (let depth = 0; depth <= SEARCH_LEVELS && level.length > 0; depth++) {
    const next: string[] = [];
    for (const path of level) {
      visits += 1;
      if (visits > MAX_VISITS) return;
      for (const name of visit(path, childNames(mount + path))) next.push(`${path}/${name}`);
    }
    level = next;
  }
}

// Where memory is a v1 controller, v2 may be mounted too, but elsewhere.
function memoryHierarchy(fsroot: string): Pick<Kubepods, "version" | "mount"> {
  const isV1 = existsSync(fsroot + CGROUP_LAYOUTS[1].mount) && !isCgroupV2(fsroot);
  const version = isV1 ? 1 : 2;
  return { version, mount: fsroot + CGROUP_LAYOUTS[version].mount };
}

/** Finds all containers below a kubepods or a loose cgroup; one that disappears meanwhile is skipped. */
export function scanContainers(kubepods: Kubepods & Partial<ContainerRoot>): KubepodsContainer[] {
  const scan = (path: string, cgroup: KubepodsCgroup): KubepodsContainer[] => {
    if (cgroup.level === "container")
      return [describeContainer(kubepods, path, cgroup, childLevels(kubepods.mount + path))];
    const children = kubepodsChildren(kubepods, path, cgroup);
    return [...children].flatMap(([name, child]) => scan(`${path}/${name}`, child));
  };
  return scan(kubepods.path, { level: kubepods.level ?? "kubepods" });
}

/** Finds the cgroups of all pods below a kubepods cgroup, also of pods without containers. */
export function scanPods(kubepods: Kubepods): Omit<KubepodsContainer, "containerId">[] {
  const scan = (path: string, cgroup: KubepodsCgroup): Omit<KubepodsContainer, "containerId">[] => {
    if (cgroup.level === "pod") {
      const { podUid, qosClass } = cgroup.pod;
      return [{ podUid, qosClass, cgroup: describeDirectory(kubepods, kubepods.mount + path) }];
    }
    const children = kubepodsChildren(kubepods, path, cgroup);
    return [...children].flatMap(([name, child]) => scan(`${path}/${name}`, child));
  };
  return scan(kubepods.path, { level: "kubepods" });
}

/** Returns the pods of containers, each once, in the order of their first containers. */
export function podsOfContainers(containers: Iterable<KubepodsContainer>): KubepodsPod[] {
  const directories = new Map<string, string>();
  for (const { podUid, cgroup, isSandbox } of containers) {
    const [directory] = isSandbox ? cgroup.own : cgroup.ancestors;
    // A loose container is not in its pod's cgroup.
    if (directory !== undefined && podUidOfCgroup(directory) !== undefined && !directories.has(podUid))
      directories.set(podUid, directory);
  }
  return [...directories].map(([podUid, directory]) => ({ podUid, directory }));
}

/** Describes a cgroup as that of a container, or of a whole pod, by its directory. */
function describeDirectory(
  { version, mount }: Pick<Kubepods, "version" | "mount">,
  directory: string,
): ContainerCgroup {
  return { version, own: [directory], ancestors: ancestorsOf(mount, directory.slice(mount.length)) };
}

/** Lists the cgroups directly below another one that belong to the tree, by name; empty if it is gone. */
export function kubepodsChildren(
  kubepods: Kubepods,
  path: string,
  cgroup: KubepodsCgroup,
): Map<string, KubepodsCgroup> {
  const children = new Map<string, KubepodsCgroup>();
  if (cgroup.level === "container" || cgroup.level === "child") {
    const depth = cgroup.level === "container" ? 1 : (cgroup.depth ?? 1) + 1;
    const name = processChildOf(kubepods.mount + path, depth);
    if (name !== undefined) children.set(name, { level: "child", depth });
    return children;
  }
  for (const name of childNames(kubepods.mount + path)) {
    const child = parseKubepodsChild(cgroup, `${path}/${name}`);
    if (child !== undefined) children.set(name, child);
  }
  return children;
}

/** Describes the container at a path; its own levels are its scope and the named levels below it, the deepest first. */
export function describeContainer(
  { version, mount }: Kubepods,
  path: string,
  { pod, containerId }: KubepodsCgroup & { level: "container" },
  levelsBelow: readonly string[],
): KubepodsContainer {
  const scope = mount + path;
  const own = [...levelsBelow.map((name) => `${scope}/${name}`), scope];
  const cgroup = { version, own, ancestors: ancestorsOf(mount, path) };
  return { podUid: pod.podUid, qosClass: pod.qosClass, containerId, cgroup };
}

function ancestorsOf(mount: string, path: string): string[] {
  const ancestors: string[] = [];
  for (let level = parentOf(path); level !== ""; level = parentOf(level)) ancestors.push(mount + level);
  return ancestors;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Returns the levels below a container's scope down to its processes, relative to the scope, the deepest first. */
function childLevels(scope: string): string[] {
  const levels: string[] = [];
  for (let level = scope; ; ) {
    const name = processChildOf(level, levels.length + 1);
    if (name === undefined) return levels;
    level = `${level}/${name}`;
    levels.unshift(level.slice(scope.length + 1));
  }
}
