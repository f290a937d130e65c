import { describe } from "bun:test";
import { type Breakage, type CheckedHost, hookText, testBreakages } from "./checked-host.ts";

const KUBELET = "/var/lib/kubelet/config.yaml";
const KUBELET_DROP_IN = "/etc/kubernetes/kubelet.conf.d/50-wasp.conf";
const K3S = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";

function beK3s(host: CheckedHost): void {
  host.addProcess(800, ["/usr/bin/k3s", "server"]);
  host.write(`${K3S}/00-k3s-defaults.conf`, "failSwapOn: false\n");
}

const BREAKAGES: readonly Breakage[] = [
  [
    "kernel",
    "an old kernel",
    (host) => host.write("/proc/sys/kernel/osrelease", "5.4.0-x\n"),
    "warning",
    "5.4.0-x",
  ],
  [
    "cgroup-version",
    "cgroup v1",
    (host) => {
      host.remove("/sys/fs/cgroup/cgroup.controllers");
      host.write("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "1\n");
    },
    "warning",
    "cgroup v1",
  ],
  [
    "swap-controller",
    "no swap controller",
    (host) => {
      for (const slice of ["system.slice", "kubepods.slice"])
        host.remove(`/sys/fs/cgroup/${slice}/memory.swap.max`);
    },
    "error",
    "no cgroup has a swap limit",
  ],
  [
    "swap-controller",
    "no memory controller",
    (host) => {
      host.write("/sys/fs/cgroup/cgroup.controllers", "cpu io pids\n");
      for (const slice of ["system.slice", "kubepods.slice"])
        host.remove(`/sys/fs/cgroup/${slice}/memory.swap.max`);
    },
    "error",
    "no cgroup has a swap limit",
  ],
  ["pressure", "psi=0", (host) => host.remove("/proc/pressure"), "warning", "no pressure figures"],
  [
    "pressure",
    "none of cgroups",
    (host) => {
      for (const slice of ["system.slice", "kubepods.slice"])
        host.remove(`/sys/fs/cgroup/${slice}/memory.pressure`);
    },
    "warning",
    "none of its cgroups",
  ],
  [
    "zswap",
    "zswap on",
    (host) => host.write("/sys/module/zswap/parameters/enabled", "Y\n"),
    "note",
    "zswap is on",
  ],
  ["zswap", "a kernel without zswap", (host) => host.remove("/sys/module"), "ok", ""],
  [
    "swappiness",
    "0",
    (host) => host.write("/proc/sys/vm/swappiness", "0\n"),
    "warning",
    "vm.swappiness is 0",
  ],
  [
    "tmpfs-noswap",
    "an old kernel, and no mount",
    (host) => {
      host.write("/proc/sys/kernel/osrelease", "5.14.0-570.el9\n");
      host.setMounts();
    },
    "note",
    "secrets may be swapped out",
  ],
  [
    "runtime",
    "containerd, which the kubelet names",
    (host) => host.write(KUBELET, "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n"),
    "ok",
    "containerd",
  ],
  [
    "agent",
    "none, with containerd",
    (host) => {
      host.write(KUBELET, "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n");
      host.lockBy(undefined);
    },
    "error",
    "nothing else sets limits",
  ],
  [
    "restart",
    "a drop-in of k3s is newer",
    (host) => {
      beK3s(host);
      host.touch(`${K3S}/00-k3s-defaults.conf`);
    },
    "warning",
    "00-k3s-defaults.conf is newer than k3s's start",
  ],
  [
    "restart",
    "the kubelet's drop-in is newer",
    (host) => host.touch(KUBELET_DROP_IN),
    "warning",
    `${KUBELET_DROP_IN} is newer than kubelet`,
  ],
  [
    "restart",
    "CRI-O's drop-in is newer",
    (host) => host.touch("/etc/crio/crio.conf.d/10-crio.conf"),
    "warning",
    "newer than crio",
  ],
  [
    "container-cgroups",
    "the runtime's driver is cgroupfs",
    (host) =>
      host.write(
        `/sys/fs/cgroup/system.slice/containerd.service/kubepods-burstable-pod0a_1.slice:cri-containerd:${"0f".repeat(32)}/memory.swap.max`,
        "max\n",
      ),
    "warning",
    "1 in /system.slice/containerd.service",
  ],
  [
    "swap-reach",
    "nobody holds it",
    (host) => host.write("/sys/fs/cgroup/kubepods.slice/memory.high", "max\n"),
    "warning",
    "is max",
  ],
  ["swap-reach", "no pods", (host) => host.remove("/sys/fs/cgroup/kubepods.slice"), "none", ""],
  ["agent", "none", (host) => host.lockBy(undefined), "warning", "no agent runs"],
  [
    "wasp-agent",
    "its hook",
    (host) => host.write("/run/containers/oci/hooks.d/swap-for-burstable.json", hookText(host)),
    "warning",
    "/run/containers/oci/hooks.d/swap-for-burstable.json",
  ],
  [
    "systemd-oomd",
    "runs",
    (host) => host.addProcess(60, ["/usr/lib/systemd/systemd-oomd"]),
    "ok",
    "no slice of pods has ManagedOOMSwap",
  ],
  [
    "systemd-oomd",
    "kills for swap",
    (host) => {
      host.addProcess(60, ["/usr/lib/systemd/systemd-oomd"]);
      host.write("/usr/lib/systemd/system/-.slice.d/10-oomd.conf", "[Slice]\nManagedOOMSwap=kill\n");
    },
    "warning",
    "ManagedOOMSwap=kill for -.slice",
  ],
  [
    "earlyoom",
    "runs in a pod, or another program has its name",
    (host) => {
      host.addProcess(61, ["earlyoom"]);
      host.write("/proc/61/cgroup", "0::/kubepods.slice/kubepods-burstable.slice/x.slice/crio-1.scope\n");
    },
    "ok",
    "is not running",
  ],
  [
    "earlyoom",
    "runs",
    (host) => host.addProcess(61, ["/usr/bin/earlyoom", "-r", "3600"]),
    "warning",
    "pid 61",
  ],
  [
    "nri",
    "on, under containerd",
    (host) => {
      host.write(KUBELET, "{}");
      host.remove("/proc/700");
      host.addProcess(701, ["/usr/bin/containerd"]);
      host.write("/run/nri/nri.sock", "");
    },
    "warning",
    "wasp is no plugin of containerd",
  ],
];

describe("a host with a fault of a host", () => testBreakages(BREAKAGES));
