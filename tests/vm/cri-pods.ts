/** Pods of a runtime, with the kubelet's settings except for the network, which is the host's. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { busyboxImage, type Containerd } from "./containerd.ts";
import { NamespaceMode, type PodSandboxConfigSchema } from "./cri_pb.ts";
import { type Guest, quote } from "./guest.ts";
import { untilHolds } from "./node-pods.ts";

/** Settings of a container in a pod. */
export interface CriContainerSpec {
  readonly name: string;
  /** Memory limit; none by default. */
  readonly memoryLimitBytes?: number;
  /** Script of its process; by default it sleeps. */
  readonly script?: string;
  /** By default the kubelet's value for a Burstable container with a tiny request. */
  readonly oomScoreAdj?: number;
  /** Files of its cgroup that the spec sets by name, as the kubelet does for memory QoS. */
  readonly unified?: Readonly<Record<string, string>>;
}

const namespaceOptions = {
  network: NamespaceMode.NODE,
  pid: NamespaceMode.CONTAINER,
  ipc: NamespaceMode.POD,
};

/** A Burstable pod, at first without containers. */
export class CriPod {
  readonly id: string;
  readonly #guest: Guest;
  readonly #containerd: Containerd;
  readonly #config: MessageInitShape<typeof PodSandboxConfigSchema>;

  private constructor(
    guest: Guest,
    containerd: Containerd,
    id: string,
    config: MessageInitShape<typeof PodSandboxConfigSchema>,
  ) {
    this.#guest = guest;
    this.#containerd = containerd;
    this.id = id;
    this.#config = config;
  }

  /** Makes the runtime run a pod. */
  static async run(
    guest: Guest,
    containerd: Containerd,
    name: string,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<CriPod> {
    const uid = crypto.randomUUID();
    const cgroupParent = `kubepods-burstable-pod${uid.replaceAll("-", "_")}.slice`;
    const config = {
      metadata: { name, namespace: "default", uid },
      labels: {
        "io.kubernetes.pod.name": name,
        "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.pod.uid": uid,
      },
      annotations: { ...annotations, "kubernetes.io/config.source": "api" },
      linux: { cgroupParent, securityContext: { namespaceOptions } },
    };
    const { podSandboxId } = await containerd.cri.runPodSandbox({ config });
    return new CriPod(guest, containerd, podSandboxId, config);
  }

  /** Makes the runtime create and start a container; rejects with the runtime's error. */
  async start(spec: CriContainerSpec): Promise<CriContainer> {
    const container = await this.create(spec);
    await this.#containerd.cri.startContainer({ containerId: container.id });
    return container;
  }

  /** Makes the runtime create a container without starting it; rejects with the runtime's error. */
  async create(spec: CriContainerSpec): Promise<CriContainer> {
    const { name, memoryLimitBytes = 0, script, oomScoreAdj = 999, unified = {} } = spec;
    const { containerId } = await this.#containerd.cri.createContainer({
      podSandboxId: this.id,
      sandboxConfig: this.#config,
      config: {
        metadata: { name },
        image: { image: busyboxImage },
        command: script === undefined ? [] : ["sh", "-c", script],
        labels: { "io.kubernetes.container.name": name },
        linux: {
          resources: {
            memoryLimitInBytes: BigInt(memoryLimitBytes),
            oomScoreAdj: BigInt(oomScoreAdj),
            unified,
          },
          securityContext: { namespaceOptions },
        },
      },
    });
    return new CriContainer(this.#guest, this.#containerd, containerId, this.cgroup);
  }

  /** UID of the pod. */
  get uid(): string {
    return this.#config.metadata?.uid ?? "";
  }

  /** Directory of the pod cgroup. */
  get cgroup(): string {
    return `/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/${this.#config.linux?.cgroupParent}`;
  }
}

/** A container of a CriPod. */
export class CriContainer {
  readonly id: string;
  readonly #guest: Guest;
  readonly #containerd: Containerd;
  readonly #podCgroup: string;

  constructor(guest: Guest, containerd: Containerd, id: string, podCgroup: string) {
    this.#guest = guest;
    this.#containerd = containerd;
    this.id = id;
    this.#podCgroup = podCgroup;
  }

  /** Directory of the container cgroup, as containerd names it under the systemd driver. */
  get cgroup(): string {
    return `${this.#podCgroup}/cri-containerd-${this.id}.scope`;
  }

  /** Reads files of the container cgroup, by name. */
  async files<Name extends string>(...names: readonly Name[]): Promise<Record<Name, string>> {
    const values = (await this.#guest.must(`cd ${quote(this.cgroup)}; cat ${names.join(" ")}`))
      .trim()
      .split("\n");
    return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<Name, string>;
  }

  /** Waits until files of the container cgroup have these values, by name; throws with their values after a time-out. */
  async untilFiles(wanted: Readonly<Record<string, string>>): Promise<void> {
    const paths = Object.keys(wanted).map((name) => `${this.cgroup}/${name}`);
    await untilHolds(this.#guest, paths, Object.values(wanted));
  }

  /** Makes the runtime change the memory limit, as an in-place resize of the pod does; 0 keeps the limit. */
  async resize(memoryLimitBytes: number): Promise<void> {
    const linux = { memoryLimitInBytes: BigInt(memoryLimitBytes) };
    await this.#containerd.cri.updateContainerResources({ containerId: this.id, linux });
  }
}
