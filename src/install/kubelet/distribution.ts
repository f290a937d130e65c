/** A distribution of Kubernetes that starts the kubelet itself, in its own process or beside it, without kubelet.service. */
export interface Distribution {
  readonly name: string;
  /** The names of its processes on a node, as in /proc/PID/comm. */
  readonly processes: readonly string[];
  /** The systemd units that may run it; a node has one of them. */
  readonly units: readonly string[];
  /**
   * The place for settings of its kubelet, in words, and their form there: the kubelet's flags, arguments that are these
   * without dashes, or fields of its configuration.
   */
  readonly settings: { readonly place: string; readonly as: "flags" | "arguments" | "fields" };
}

/** Returns the data folder and the configuration file of k3s or rke2, by name. */
export function rancherPaths(name: string): { readonly data: string; readonly config: string } {
  return { data: `/var/lib/rancher/${name}`, config: `/etc/rancher/${name}/config.yaml` };
}

/** The file of the kubelet's flags in MicroK8s, one a line (canonical/microk8s microk8s-resources/default-args). */
export const MICROK8S_FLAGS = "/var/snap/microk8s/current/args/kubelet";

/** The known distributions. */
export const DISTRIBUTIONS: readonly Distribution[] = [
  {
    name: "k3s",
    processes: ["k3s", "k3s-server", "k3s-agent"],
    units: ["k3s.service", "k3s-agent.service"],
    settings: { place: `kubelet-arg in ${rancherPaths("k3s").config}`, as: "arguments" },
  },
  {
    name: "rke2",
    processes: ["rke2"],
    units: ["rke2-server.service", "rke2-agent.service"],
    settings: { place: `kubelet-arg in ${rancherPaths("rke2").config}`, as: "arguments" },
  },
  {
    name: "MicroK8s",
    processes: ["kubelite"],
    units: ["snap.microk8s.daemon-kubelite.service"],
    settings: { place: MICROK8S_FLAGS, as: "flags" },
  },
  {
    name: "k0s",
    processes: ["k0s"],
    units: ["k0sworker.service", "k0scontroller.service"],
    // It rewrites the kubelet's file at each start (k0sproject/k0s pkg/component/worker/kubelet.go).
    settings: { place: "spec.workerProfiles in k0s.yaml", as: "fields" },
  },
];
