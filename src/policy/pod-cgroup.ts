/** The QoS class of a pod, in the kubelet's spelling. */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** The cgroup manager that laid a path out, in the kubelet's spelling of `cgroupDriver`. */
export type CgroupDriver = "systemd" | "cgroupfs";

/** What the name of a container's cgroup tells about its pod. */
export interface PodCgroup {
  readonly driver: CgroupDriver;
  readonly qosClass: QosClass;
  readonly podUid: string;
  /** The container's cgroup: the last path segments, without the slices above the pod's. */
  readonly containerSegment: string;
}

/**
 * Reads `linux.cgroupsPath` of an OCI config as the kubelet and its runtimes write it: `SLICE:PREFIX:NAME` under the
 * systemd driver, an absolute path under cgroupfs; undefined for a container that is not in a pod.
 */
export function parsePodCgroup(cgroupsPath: string): PodCgroup | undefined {
  return cgroupsPath.includes(":") ? parseSystemd(cgroupsPath) : parseCgroupfs(cgroupsPath);
}

const POD = "pod";

// kubernetes pkg/kubelet/cm/cgroup_manager_linux.go: `kubepods-burstable-pod<UID>.slice`, with "-" of the UID escaped
// to "_". A slice repeats the names of those above it, so a --cgroup-root stands in front.
function parseSystemd(cgroupsPath: string): PodCgroup | undefined {
  const [slice = "", prefix = "", name = "", ...rest] = cgroupsPath.split(":");
  if (!slice.endsWith(".slice") || name === "" || rest.length > 0 || cgroupsPath.includes("/"))
    return undefined;
  const stem = slice.slice(0, -".slice".length);
  const at = stem.lastIndexOf(`-${POD}`);
  const qosClass = qosClassOf(stem.slice(0, Math.max(0, at)), "-");
  const podUid = stem.slice(at + 1 + POD.length);
  if (qosClass === undefined || podUid === "") return undefined;
  const unit = prefix === "" ? name : `${prefix}-${name}`;
  return {
    driver: "systemd",
    qosClass,
    podUid: podUid.replaceAll("_", "-"),
    containerSegment: `${slice}/${unit}.scope`,
  };
}

function parseCgroupfs(cgroupsPath: string): PodCgroup | undefined {
  const segments = cgroupsPath.split("/");
  const [root, ...below] = segments;
  if (root !== "" || below.some((segment) => segment === "" || segment === "." || segment === ".."))
    return undefined;
  const name = below.at(-1) ?? "";
  const pod = below.at(-2) ?? "";
  const qosClass = qosClassOf(`/${below.slice(0, -2).join("/")}`, "/");
  if (qosClass === undefined || !pod.startsWith(POD) || pod === POD) return undefined;
  return { driver: "cgroupfs", qosClass, podUid: pod.slice(POD.length), containerSegment: `${pod}/${name}` };
}

/** The QoS class of the cgroup that its pods share; other cgroups may stand above it. */
function qosClassOf(parent: string, separator: string): QosClass | undefined {
  const path = `${separator}${parent}`;
  if (path.endsWith(`${separator}kubepods${separator}burstable`)) return "Burstable";
  if (path.endsWith(`${separator}kubepods${separator}besteffort`)) return "BestEffort";
  return path.endsWith(`${separator}kubepods`) ? "Guaranteed" : undefined;
}
