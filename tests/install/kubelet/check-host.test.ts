import { describe } from "bun:test";
import { readFileSync } from "node:fs";
import { type Breakage, type CheckedHost, testBreakages } from "../check/checked-host.ts";

const RECORDED_KUBELET = `${import.meta.dir}/../../fixtures/recordings/api/kubelet-configz.json`;
const KUBELET = "/var/lib/kubelet/config.yaml";
const KUBELET_DROP_IN = "/etc/kubernetes/kubelet.conf.d/50-wasp.conf";
const K3S = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";

function beK3s(host: CheckedHost): void {
  host.addProcess(800, ["/usr/bin/k3s", "server"]);
  host.write(`${K3S}/00-k3s-defaults.conf`, "failSwapOn: false\n");
}

const BREAKAGES: readonly Breakage[] = [
  [
    "kubelet",
    "part of k3s, by its drop-ins",
    beK3s,
    "ok",
    "pid 800, started by k3s, with /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf, its flags",
  ],
  ["kubelet-fail-swap-on", "k3s's own setting", beK3s, "ok", "failSwapOn is false"],
  [
    "kubelet-fail-swap-on",
    "an argument over it",
    (host) => {
      beK3s(host);
      host.write("/etc/rancher/k3s/config.yaml", "kubelet-arg:\n- v=2\n- fail-swap-on=true\n");
    },
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet-fail-swap-on",
    "a k3s before drop-ins",
    (host) => host.addProcess(800, ["/usr/bin/k3s", "server"]),
    "ok",
    "failSwapOn is false",
  ],
  [
    "kubelet",
    "k3s that does not run",
    (host) => {
      host.remove("/proc/800");
      host.write("/etc/systemd/system/k3s-agent.service", "ExecStart=/usr/local/bin/k3s agent\n");
    },
    "warning",
    "no kubelet runs",
  ],
  [
    "kubelet",
    "k0s that does not run",
    (host) => {
      host.remove("/proc/800");
      host.write("/etc/systemd/system/k0sworker.service", "ExecStart=/usr/local/bin/k0s worker\n");
    },
    "unknown",
    "k0s starts the kubelet, and its flags are not known until it runs",
  ],
  [
    "kubelet",
    "k0s's",
    (host) => host.addProcess(799, ["/usr/local/bin/k0s", "worker"]),
    "ok",
    "started by k0s",
  ],
  [
    "kubelet",
    "none at all",
    (host) => host.remove("/proc/800"),
    "unknown",
    "no kubelet is running, and none of k3s,",
  ],
  [
    "kubelet-fail-swap-on",
    "MicroK8s's flags",
    (host) => {
      host.addProcess(800, ["/snap/microk8s/1/kubelite"]);
      host.write(
        "/var/snap/microk8s/current/args/kubelet",
        "# kubelet\n--fail-swap-on=false\n--root-dir=$SNAP_COMMON/x\n",
      );
    },
    "ok",
    "failSwapOn is false",
  ],
  [
    "kubelet",
    "MicroK8s without its flags",
    (host) => host.addProcess(800, ["/snap/microk8s/1/kubelite"]),
    "unknown",
    "MicroK8s",
  ],
  [
    "kubelet-fail-swap-on",
    "a pod has a kubelet of its own",
    (host) => {
      host.addProcess(11, ["kubelet", "--fail-swap-on=true"]);
      host.write("/proc/11/cgroup", "0::/kubepods/burstable/podx/y\n");
    },
    "ok",
    "",
  ],
  [
    "kubelet-fail-swap-on",
    "the drop-in is gone",
    (host) => host.remove(KUBELET_DROP_IN),
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet-fail-swap-on",
    "a drop-in by a name that the kubelet does not take",
    (host) => {
      host.write(`${KUBELET_DROP_IN}.yaml`, readFileSync(host.fsroot + KUBELET_DROP_IN, "utf8"));
      host.remove(KUBELET_DROP_IN);
    },
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet-fail-swap-on",
    "a flag over all files",
    (host) => host.addProcess(800, ["kubelet", `--config=${KUBELET}`, "--fail-swap-on=false"]),
    "ok",
    "",
  ],
  [
    "kubelet-fail-swap-on",
    "a kubelet that did not start, by its unit",
    (host) => {
      host.remove("/proc/800");
      host.write("/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n");
      host.write(
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        `[Service]\n# --fail-swap-on=false\nEnvironment="KUBELET_CONFIG_ARGS=--config=${KUBELET}"\nExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS\n`,
      );
    },
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet",
    "a kubelet that did not start, by its unit",
    (host) => {
      host.remove("/proc/800");
      host.write(
        "/usr/lib/systemd/system/kubelet.service",
        `[Service]\nExecStart=/usr/bin/kubelet --config ${KUBELET}\n`,
      );
    },
    "warning",
    `no kubelet runs; its settings are taken from ${KUBELET}, its flags`,
  ],
  [
    "kubelet-swap-behavior",
    "LimitedSwap",
    (host) => host.write(KUBELET_DROP_IN, "memorySwap:\n  swapBehavior: LimitedSwap\n"),
    "warning",
    "LimitedSwap",
  ],
  [
    "kubelet-swap-behavior",
    "a recorded kubelet's, in JSON",
    (host) =>
      host.write(KUBELET, JSON.stringify(JSON.parse(readFileSync(RECORDED_KUBELET, "utf8")).kubeletconfig)),
    "ok",
    "not set, which means NoSwap",
  ],
];

describe("a host with a fault of the kubelet", () => testBreakages(BREAKAGES));
