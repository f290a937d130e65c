import { mkdirSync } from "node:fs";
import type { CgroupDriver, QosClass } from "../../src/policy/kubernetes/pod-cgroup.ts";

/** Layout of a node's pod cgroups. */
export interface Layout {
  readonly driver: CgroupDriver;
  /** Kubelet's --cgroup-root, as names of cgroups: `["nodes"]`. */
  readonly cgroupRoot: readonly string[];
}

/** Returns the path of the kubepods cgroup. */
export function kubepodsPath(layout: Layout): string {
  return pathOf(layout, ["kubepods"]);
}

/** Returns the path of a pod's cgroup, as the kubelet names it. */
export function podPath(layout: Layout, qosClass: QosClass, podUid: string): string {
  const qos = qosClass === "Guaranteed" ? [] : [qosClass.toLowerCase()];
  const uid = layout.driver === "systemd" ? podUid.replaceAll("-", "_") : podUid;
  return pathOf(layout, ["kubepods", ...qos, `pod${uid}`]);
}

// kubernetes pkg/kubelet/cm/cgroup_manager_linux.go: ToSystemd and ToCgroupfs.
function pathOf({ driver, cgroupRoot }: Layout, below: string[]): string {
  const names = [...cgroupRoot, ...below];
  if (driver === "cgroupfs") return names.map((name) => `/${name}`).join("");
  return names.map((_, index) => `/${names.slice(0, index + 1).join("-")}.slice`).join("");
}

/** Creates a cgroup and its ancestors. */
export function makeCgroup(mount: string, path: string): void {
  mkdirSync(mount + path, { recursive: true });
}

/** Returns a container id in the form of the runtimes. */
export function containerIdOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

/** Returns a pod's UID. */
export function podUidOf(number: number): string {
  return `4f7bd51f-0db5-4bdd-8da8-${number.toString(16).padStart(12, "0")}`;
}
