/** QoS class of a pod, in the kubelet's spelling. */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Cgroup driver that determines the layout of paths, in the kubelet's spelling of `cgroupDriver`. */
export type CgroupDriver = "systemd" | "cgroupfs";

/** Properties in the name of a pod's cgroup. */
export interface PodCgroupName {
  readonly driver: CgroupDriver;
  readonly qosClass: QosClass;
  readonly podUid: string;
}

/** Properties of the pod in the path of a container's cgroup. */
export interface PodCgroup extends PodCgroupName {
  /** Last path segments of the container's cgroup, without the slices above the pod's. */
  readonly containerSegment: string;
}

/**
 * Level of a cgroup in the kubepods tree: the root, a QoS class, a pod, a container, or the child of a container's
 * scope in which crun starts the container. Loose is the parent of containers outside of the tree.
 */
export type KubepodsCgroup =
  | { readonly level: "kubepods" | "qos" | "loose" }
  /** Depth below the scope; 1 if not set. */
  | { readonly level: "child"; readonly depth?: number }
  | { readonly level: "pod"; readonly pod: PodCgroupName }
  | { readonly level: "container"; readonly pod: PodCgroupName; readonly containerId: string };

/**
 * Parses `linux.cgroupsPath` of an OCI config as the kubelet and its runtimes write it: `SLICE:PREFIX:NAME` under the
 * systemd driver, an absolute path under cgroupfs; undefined for a container outside of pods.
 */
export function parsePodCgroup(cgroupsPath: string): PodCgroup | undefined {
  return cgroupsPath.includes(":") ? parseSystemd(cgroupsPath) : parseCgroupfs(cgroupsPath);
}

/** Parses the path of a cgroup below the root of its hierarchy; undefined outside of the kubepods tree. */
export function parseKubepodsPath(path: string): KubepodsCgroup | undefined {
  const sharedBy = isSlice(path) ? qosClassOf(stemOf(path), "-") : qosClassOf(path, "/");
  if (sharedBy !== undefined) return { level: sharedBy === "Guaranteed" ? "kubepods" : "qos" };
  const pod = podOf(path);
  return pod === undefined ? parseBelowPod(path) : { level: "pod", pod };
}

/**
 * Parses the path of a cgroup directly below one of the kubepods tree; undefined for other cgroups, such as those of a
 * container's monitor, or those that a workload creates in its own.
 */
export function parseKubepodsChild(parent: KubepodsCgroup, path: string): KubepodsCgroup | undefined {
  const cgroup = parseKubepodsPath(path);
  return cgroup !== undefined && LEVELS_BELOW[parent.level].includes(cgroup.level) ? cgroup : undefined;
}

const LEVELS_BELOW: Readonly<Record<KubepodsCgroup["level"], readonly KubepodsCgroup["level"][]>> = {
  kubepods: ["qos", "pod"],
  qos: ["pod"],
  pod: ["container"],
  container: ["child"],
  child: [],
  loose: ["container"],
};

const POD_PREFIX = "pod";

/**
 * Name of the cgroup below the scope in which crun starts the container, unless the pod's annotation
 * `run.oci.systemd.subgroup` names another (crun src/libcrun/cgroup-systemd.c).
 */
export const CRUN_CHILD = "container";

function parseSystemd(cgroupsPath: string): PodCgroup | undefined {
  const [slice = "", prefix = "", name = "", ...rest] = cgroupsPath.split(":");
  if (!isSlice(slice) || name === "" || rest.length > 0 || cgroupsPath.includes("/")) return undefined;
  const pod = podOfSlice(slice);
  const unit = prefix === "" ? name : `${prefix}-${name}`;
  return pod && { ...pod, containerSegment: `${slice}/${unit}.scope` };
}

function parseCgroupfs(cgroupsPath: string): PodCgroup | undefined {
  const [root, ...below] = cgroupsPath.split("/");
  if (root !== "" || below.includes("") || below.includes(".") || below.includes("..")) return undefined;
  const pod = podOfPath(parentOf(cgroupsPath));
  return pod && { ...pod, containerSegment: `${POD_PREFIX}${pod.podUid}/${nameOf(cgroupsPath)}` };
}

function parseBelowPod(path: string): KubepodsCgroup | undefined {
  const container = parseContainer(path);
  if (container !== undefined) return container;
  const isChild = nameOf(path) === CRUN_CHILD && parseContainer(parentOf(path)) !== undefined;
  return isChild ? { level: "child" } : undefined;
}

/**
 * Parses the name of a container's cgroup outside of the kubepods tree: a runtime whose driver is cgroupfs takes the
 * `SLICE:PREFIX:ID` of a kubelet whose driver is systemd for a path below its own cgroup (containerd
 * internal/cri/server/podsandbox/helpers_linux.go, getCgroupsPath; seen in containerd#4900).
 */
export function parseLooseContainer(name: string): (KubepodsCgroup & { level: "container" }) | undefined {
  const pod = name.includes(".slice:") ? parseSystemd(name) : undefined;
  const [, prefix = "", containerId = ""] = name.split(":");
  if (pod === undefined || prefix.endsWith("conmon") || !/^[0-9a-f]+$/.test(containerId)) return undefined;
  const { driver, qosClass, podUid } = pod;
  return { level: "container", pod: { driver, qosClass, podUid }, containerId };
}

/** Returns the UID in the path of a pod's own cgroup; undefined for any other. */
export function podUidOfCgroup(path: string): string | undefined {
  return podOf(path)?.podUid;
}

function parseContainer(path: string): KubepodsCgroup | undefined {
  const loose = parseLooseContainer(nameOf(path));
  if (loose !== undefined) return loose;
  const pod = podOf(parentOf(path));
  if (pod === undefined) return undefined;
  const containerId = containerIdOf(pod.driver, nameOf(path));
  return containerId === undefined ? undefined : { level: "container", pod, containerId };
}

// Under systemd a unit is PREFIX-ID.scope; under cgroupfs containerd omits the prefix. All runtimes' ids are
// hexadecimal. The container's monitor has a cgroup beside it, with "conmon" before the same id.
function containerIdOf(driver: CgroupDriver, name: string): string | undefined {
  if (driver === "systemd" && !name.endsWith(".scope")) return undefined;
  const unit = driver === "systemd" ? name.slice(0, -".scope".length) : name;
  const [, prefix = "", containerId] = /^(?:(.+)-)?([0-9a-f]+)$/.exec(unit) ?? [];
  return prefix.endsWith("conmon") ? undefined : containerId;
}

function podOf(path: string): PodCgroupName | undefined {
  return isSlice(path) ? podOfSlice(nameOf(path)) : podOfPath(path);
}

// kubernetes pkg/kubelet/cm/cgroup_manager_linux.go: `kubepods-burstable-pod<UID>.slice`, with "-" of the UID escaped
// to "_". A slice's name begins with its parents' names, so a --cgroup-root comes first.
function podOfSlice(slice: string): PodCgroupName | undefined {
  const stem = stemOf(slice);
  const at = stem.lastIndexOf(`-${POD_PREFIX}`);
  const qosClass = qosClassOf(stem.slice(0, Math.max(0, at)), "-");
  const podUid = stem.slice(at + 1 + POD_PREFIX.length);
  if (qosClass === undefined || podUid === "") return undefined;
  return { driver: "systemd", qosClass, podUid: podUid.replaceAll("_", "-") };
}

function podOfPath(path: string): PodCgroupName | undefined {
  const name = nameOf(path);
  const qosClass = qosClassOf(parentOf(path), "/");
  if (qosClass === undefined || !name.startsWith(POD_PREFIX) || name === POD_PREFIX) return undefined;
  return { driver: "cgroupfs", qosClass, podUid: name.slice(POD_PREFIX.length) };
}

/** Returns the QoS class of the pods directly in a cgroup, which may have other cgroups above it. */
function qosClassOf(parent: string, separator: string): QosClass | undefined {
  const path = `${separator}${parent}`;
  if (path.endsWith(`${separator}kubepods${separator}burstable`)) return "Burstable";
  if (path.endsWith(`${separator}kubepods${separator}besteffort`)) return "BestEffort";
  return path.endsWith(`${separator}kubepods`) ? "Guaranteed" : undefined;
}

function isSlice(path: string): boolean {
  return path.endsWith(".slice");
}

function stemOf(slice: string): string {
  return nameOf(slice).slice(0, -".slice".length);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
