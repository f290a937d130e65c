/** Pods that a runtime runs as the kubelet would have it, but on the host's network. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { busyboxImage, type Containerd } from "./containerd.ts";
import { NamespaceMode, type PodSandboxConfigSchema } from "./cri_pb.ts";
import { type Guest, quote } from "./guest.ts";
import { untilHolds } from "./node-pods.ts";

/** A container that a pod is to have. */
export interface CriContainerSpec {
  readonly name: string;
  /** None unless told. */
  readonly memoryLimitBytes?: number;
  /** A script that it runs instead of a long sleep. */
  readonly script?: string;
  /** What the kubelet gives a Burstable container that requests next to nothing, unless told. */
  readonly oomScoreAdj?: number;
  /** Files of its cgroup that the runtime is told of by name, as the kubelet does for memory QoS. */
  readonly unified?: Readonly<Record<string, string>>;
}

const namespaceOptions = {
  network: NamespaceMode.NODE,
  pid: NamespaceMode.CONTAINER,
  ipc: NamespaceMode.POD,
};

/** A Burstable pod, without containers at first. */
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

  /** Has the runtime run one. */
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

  /** Has the runtime create a container and start it; rejects with the runtime's error. */
  async start(spec: CriContainerSpec): Promise<CriContainer> {
    const container = await this.create(spec);
    await this.#containerd.cri.startContainer({ containerId: container.id });
    return container;
  }

  /** Has the runtime create a container, which does not run yet; rejects with the runtime's error. */
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

  /** Its uid. */
  get uid(): string {
    return this.#config.metadata?.uid ?? "";
  }

  /** The directory of its cgroup. */
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

  /** The directory of its cgroup, where containerd has it under the systemd driver. */
  get cgroup(): string {
    return `${this.#podCgroup}/cri-containerd-${this.id}.scope`;
  }

  /** What files of its cgroup hold, by their names. */
  async files<Name extends string>(...names: readonly Name[]): Promise<Record<Name, string>> {
    const values = (await this.#guest.must(`cd ${quote(this.cgroup)}; cat ${names.join(" ")}`))
      .trim()
      .split("\n");
    return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<Name, string>;
  }

  /** Waits until files of its cgroup hold these lines, by their names; throws with what they hold after a while. */
  async untilFiles(wanted: Readonly<Record<string, string>>): Promise<void> {
    const paths = Object.keys(wanted).map((name) => `${this.cgroup}/${name}`);
    await untilHolds(this.#guest, paths, Object.values(wanted));
  }

  /** Has the runtime give it another memory limit, as an in-place resize of its pod does; 0 leaves the one it has. */
  async resize(memoryLimitBytes: number): Promise<void> {
    const linux = { memoryLimitInBytes: BigInt(memoryLimitBytes) };
    await this.#containerd.cri.updateContainerResources({ containerId: this.id, linux });
  }
}
