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

// kubernetes pkg/kubelet/cm/cgroup_manager_linux.go: systemd escapes "-" of a UID to "_", and repeats every
// parent slice's name in the child's, so a --cgroup-root shows up as a prefix of the slice's name.
const SYSTEMD_SLICE = /^(?:.+-)?kubepods(?:-(burstable|besteffort))?-pod([0-9a-zA-Z_.]+)\.slice$/;
const CGROUPFS_PATH = /^\/(?:.+\/)?kubepods(?:\/(burstable|besteffort))?\/pod([0-9a-zA-Z_.-]+)\/([^/]+)$/;
const SYSTEMD_NAME = /^[^/:]+$/;

/**
 * Reads `linux.cgroupsPath` of an OCI config as the kubelet and its runtimes write it: `SLICE:PREFIX:NAME` under the
 * systemd driver, an absolute path under cgroupfs; undefined for a container that is not in a pod.
 */
export function parsePodCgroup(cgroupsPath: string): PodCgroup | undefined {
  if (cgroupsPath.split("/").includes("..")) return undefined;
  return cgroupsPath.includes(":") ? parseSystemd(cgroupsPath) : parseCgroupfs(cgroupsPath);
}

function parseSystemd(cgroupsPath: string): PodCgroup | undefined {
  const [slice = "", prefix = "", name = "", ...rest] = cgroupsPath.split(":");
  const match = SYSTEMD_SLICE.exec(slice);
  if (match === null || rest.length > 0 || !SYSTEMD_NAME.test(name) || slice.includes("/")) return undefined;
  if (prefix !== "" && !SYSTEMD_NAME.test(prefix)) return undefined;
  const unit = prefix === "" ? name : `${prefix}-${name}`;
  return {
    driver: "systemd",
    qosClass: qosClassOf(match[1]),
    podUid: (match[2] ?? "").replaceAll("_", "-"),
    containerSegment: `${slice}/${unit}.scope`,
  };
}

function parseCgroupfs(cgroupsPath: string): PodCgroup | undefined {
  const match = CGROUPFS_PATH.exec(cgroupsPath);
  if (match === null) return undefined;
  return {
    driver: "cgroupfs",
    qosClass: qosClassOf(match[1]),
    podUid: match[2] ?? "",
    containerSegment: `pod${match[2]}/${match[3]}`,
  };
}

function qosClassOf(segment: string | undefined): QosClass {
  if (segment === "burstable") return "Burstable";
  return segment === "besteffort" ? "BestEffort" : "Guaranteed";
}
