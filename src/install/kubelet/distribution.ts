/** A distribution of Kubernetes that starts the kubelet itself, as a part of itself or beside it: no kubelet.service does. */
export interface Distribution {
  readonly name: string;
  /** What its processes on a node are called. */
  readonly processes: readonly string[];
  /** The units of systemd that it may be run by; a node has one of them. */
  readonly units: readonly string[];
  /**
   * Where its kubelet's settings are made, in words, and as what: the kubelet's flags, arguments that are these without
   * dashes, or fields of its configuration.
   */
  readonly settings: { readonly place: string; readonly as: "flags" | "arguments" | "fields" };
}

/** Where k3s and rke2 keep what their kubelets are started with, by their names. */
export function rancherPlaces(name: string): { readonly data: string; readonly config: string } {
  return { data: `/var/lib/rancher/${name}`, config: `/etc/rancher/${name}/config.yaml` };
}

/** Where MicroK8s has the kubelet's flags, one a line (canonical/microk8s microk8s-resources/default-args). */
export const MICROK8S_FLAGS = "/var/snap/microk8s/current/args/kubelet";

/** The distributions that are known. */
export const DISTRIBUTIONS: readonly Distribution[] = [
  {
    name: "k3s",
    processes: ["k3s", "k3s-server", "k3s-agent"],
    units: ["k3s.service", "k3s-agent.service"],
    settings: { place: `kubelet-arg in ${rancherPlaces("k3s").config}`, as: "arguments" },
  },
  {
    name: "rke2",
    processes: ["rke2"],
    units: ["rke2-server.service", "rke2-agent.service"],
    settings: { place: `kubelet-arg in ${rancherPlaces("rke2").config}`, as: "arguments" },
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
    // It writes the kubelet's file anew at each start (k0sproject/k0s pkg/component/worker/kubelet.go).
    settings: { place: "spec.workerProfiles in k0s.yaml", as: "fields" },
  },
];
