/** The QoS class of a pod, in the kubelet's spelling. */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** The cgroup manager that laid a path out, in the kubelet's spelling of `cgroupDriver`. */
export type CgroupDriver = "systemd" | "cgroupfs";

/** What the name of a pod's cgroup tells. */
export interface PodCgroupName {
  readonly driver: CgroupDriver;
  readonly qosClass: QosClass;
  readonly podUid: string;
}

/** What the name of a container's cgroup tells about its pod. */
export interface PodCgroup extends PodCgroupName {
  /** The container's cgroup: the last path segments, without the slices above the pod's. */
  readonly containerSegment: string;
}

/**
 * What a cgroup of the kubepods tree stands for: the root, a QoS class, a pod, a container, or the child of a
 * container's scope, which crun starts the container in.
 */
export type KubepodsCgroup =
  | { readonly level: "kubepods" | "qos" | "child" }
  | { readonly level: "pod"; readonly pod: PodCgroupName }
  | { readonly level: "container"; readonly pod: PodCgroupName; readonly containerId: string };

/**
 * Reads `linux.cgroupsPath` of an OCI config as the kubelet and its runtimes write it: `SLICE:PREFIX:NAME` under the
 * systemd driver, an absolute path under cgroupfs; undefined for a container that is not in a pod.
 */
export function parsePodCgroup(cgroupsPath: string): PodCgroup | undefined {
  return cgroupsPath.includes(":") ? parseSystemd(cgroupsPath) : parseCgroupfs(cgroupsPath);
}

/** Reads a cgroup's path below its hierarchy's root; undefined for what is not of the kubepods tree. */
export function parseKubepodsPath(path: string): KubepodsCgroup | undefined {
  const sharedBy = isSlice(path) ? qosClassOf(stemOf(path), "-") : qosClassOf(path, "/");
  if (sharedBy !== undefined) return { level: sharedBy === "Guaranteed" ? "kubepods" : "qos" };
  const pod = podOf(path);
  return pod === undefined ? parseBelowPod(path) : { level: "pod", pod };
}

/**
 * Reads the path of a cgroup directly below one of the kubepods tree; undefined for what does not belong there, such as
 * the monitors of containers, and the cgroups that a workload makes in its own.
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
};

const POD_PREFIX = "pod";

// crun src/libcrun/cgroup-systemd.c: the cgroup below the scope that the container is started in.
const CRUN_CHILD = "container";

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

function parseContainer(path: string): KubepodsCgroup | undefined {
  const pod = podOf(parentOf(path));
  if (pod === undefined) return undefined;
  const containerId = containerIdOf(pod.driver, nameOf(path));
  return containerId === undefined ? undefined : { level: "container", pod, containerId };
}

// Under systemd a unit is PREFIX-ID.scope; under cgroupfs containerd leaves the prefix out. All runtimes' ids are
// hexadecimal. Beside a container stands its monitor, with "conmon" before the same id.
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
// to "_". A slice repeats the names of those above it, so a --cgroup-root stands in front.
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

/** The QoS class of the pods directly in a cgroup that pods share; other cgroups may stand above it. */
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
