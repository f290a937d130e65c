/** Pods on the node that last: podman runs their containers, and a kubelet in this process tells of them. */
import { answer, FakeKubelet } from "../node/fake-kubelet.ts";
import { kubeletOomScoreAdj, kubeletSwapLimit } from "../node/kubelet.ts";
import { podPath, podUidOf } from "../node/kubepods-tree.ts";
import { type PodSpec, podListJson } from "../node/pods.ts";
import { type ContainerSpec, containerName, hostCgroups, podmanRun, type Runtime } from "./container.ts";
import { type Guest, quote } from "./guest.ts";
import { readCapacity } from "./pods.ts";

/** How a container of NodePods is started; as the kubelet has it, with the hook installed, unless told. */
export interface PodContainerSpec
  extends Pick<ContainerSpec, "memory" | "hooksFolder" | "annotations" | "cgroupManager"> {
  /** The pod's name; one that no other has unless told. */
  name?: string;
  /** The pod's namespace; `default` unless told. */
  namespace?: string;
  requestBytes: number;
  /** What it sees of the node, as podman has it: `/usr:/usr:ro`. */
  volumes?: readonly string[];
  /** What it runs instead of a long sleep. */
  script?: string;
}

/** A container that runs on the node, alone in a Burstable pod. */
export interface PodContainer {
  readonly id: string;
  readonly pod: PodSpec;
  readonly requestBytes: number;
  /** Directories of the cgroups that are its own, from its process's up. */
  readonly own: readonly string[];
}

/** Flags that keep an agent from looking unasked: whatever is right within a test's time is so by what it is told. */
export const onlyEvents = ["--sweep-seconds=3600", "--pod-poll-seconds=3600"];

/** A folder without hooks. */
export const noHooks = "/run/no-hooks.d";

const folder = "/run/wasp-kubelet";
const cgroups = "/sys/fs/cgroup";
const patienceSeconds = 10;

/** The node's pods. */
export class NodePods implements AsyncDisposable {
  /** The folder on the node with what it takes to reach the kubelet: `kubelet.pem` and `token`. */
  readonly folder = folder;
  readonly kubelet: FakeKubelet;
  readonly #guest: Guest;
  readonly #pods = new Map<string, PodSpec>();
  #started = 0;

  private constructor(guest: Guest, kubelet: FakeKubelet) {
    this.#guest = guest;
    this.kubelet = kubelet;
    this.#tellAll();
  }

  /** Starts the kubelet, and lays out on the node what it takes to reach it. */
  static async start(guest: Guest): Promise<NodePods> {
    const kubelet = await FakeKubelet.start();
    await guest.push(`${kubelet.folder}/kubelet.pem`, `${folder}/kubelet.pem`, 0o644);
    await guest.must(`mkdir --parents ${noHooks}; echo secret > ${folder}/token`);
    return new NodePods(guest, kubelet);
  }

  /** The flags that lead an agent on the node to the kubelet; 10.0.2.2 is this host to the guest. */
  get flags(): string[] {
    return [
      "--kubelet-host=10.0.2.2",
      `--kubelet-port=${this.kubelet.port}`,
      `--kubelet-token-file=${folder}/token`,
      `--kubelet-serving-certificate-file=${folder}/kubelet.pem`,
    ];
  }

  /** Starts a container in a pod of its own, of which the kubelet does not tell yet. */
  async run(runtime: Runtime, spec: PodContainerSpec): Promise<PodContainer> {
    this.#started += 1;
    const {
      name = `web-${this.#started}`,
      namespace = "default",
      requestBytes,
      volumes = [],
      ...more
    } = spec;
    const { cgroupManager = "systemd", script = "exec sleep infinity", ...rest } = more;
    const uid = podUidOf(this.#started);
    const path = podPath({ driver: cgroupManager, cgroupRoot: [] }, "Burstable", uid);
    const { memoryTotalBytes } = await readCapacity(this.#guest);
    const asKubelet = {
      ...rest,
      cgroupManager,
      cgroupParent: cgroupManager === "systemd" ? path.slice(path.lastIndexOf("/") + 1) : path,
      oomScoreAdj: kubeletOomScoreAdj(requestBytes, memoryTotalBytes),
    };
    const flags = ["--detach", ...volumes.flatMap((volume) => ["--volume", volume])];
    const id = (await this.#guest.must(podmanRun(runtime, asKubelet, flags, script))).trim();
    const scope = `${cgroups}${path}/libpod-${id}${cgroupManager === "systemd" ? ".scope" : ""}`;
    const isNested = runtime === "crun" && cgroupManager === "systemd";
    const containers = [{ name: containerName, id, requestBytes }];
    const pod = { uid, name, namespace, containers };
    return { id, pod, requestBytes, own: isNested ? [`${scope}/container`, scope] : [scope] };
  }

  /** Has the kubelet tell of a container's pod from now on. */
  tell({ pod }: PodContainer): void {
    this.#pods.set(pod.uid, pod);
    this.#tellAll();
  }

  /**
   * Has the kubelet end a container as one whose pod was deleted: it tells that the pod is on its way out, asks the
   * container to end and kills it when its time is up, and then tells of the pod no more.
   */
  async terminate(container: PodContainer, graceSeconds: number): Promise<void> {
    this.tell({ ...container, pod: { ...container.pod, isTerminating: true } });
    await this.#guest.must(`podman stop --time ${graceSeconds} ${quote(container.id)}`);
    await this.remove(container);
  }

  /** Starts a container, and has the kubelet tell of it. */
  async runAndTell(runtime: Runtime, spec: PodContainerSpec): Promise<PodContainer> {
    const container = await this.run(runtime, spec);
    this.tell(container);
    return container;
  }

  /** The swap limit that a container is entitled to on the node as it is now, in whole pages. */
  async entitlementOf({ requestBytes }: Pick<PodContainer, "requestBytes">): Promise<number> {
    const { memoryTotalBytes, swapTotalBytes } = await readCapacity(this.#guest);
    const bytes = kubeletSwapLimit(requestBytes, memoryTotalBytes, swapTotalBytes);
    return bytes - (bytes % 4096);
  }

  /** Waits until all levels of a container's own hold its entitlement, and returns it; throws with what they hold. */
  async untilExact(container: PodContainer): Promise<number> {
    const entitledBytes = await this.entitlementOf(container);
    const wanted = container.own.map(() => String(entitledBytes));
    const files = container.own.map((directory) => `${directory}/memory.swap.max`);
    await untilHolds(this.#guest, files, wanted);
    return entitledBytes;
  }

  /** Ends containers, and has the kubelet tell of them no more. */
  async remove(...containers: PodContainer[]): Promise<void> {
    for (const { pod } of containers) this.#pods.delete(pod.uid);
    this.#tellAll();
    const ids = containers.map(({ id }) => quote(id)).join(" ");
    await this.#guest.must(`podman rm --force --time 0 ${ids}`);
  }

  /** Leaves nothing of pods on the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest.must(`podman rm --force --all --time 0; ${removeKubepods}; rm -r ${folder} ${noHooks}`);
    this.kubelet[Symbol.dispose]();
  }

  #tellAll(): void {
    this.kubelet.answer = answer("200 OK", podListJson([...this.#pods.values()]));
  }
}

/** A script that removes all of the pods' cgroups, under both drivers. */
export const removeKubepods = `systemctl stop kubepods.slice
[ ! -e ${cgroups}/kubepods ] || find ${cgroups}/kubepods -depth -type d -exec rmdir {} +`;

/** A beginning of a container's script that waits for a limit, and names the container's cgroup. */
export function untilLimitIs(limitBytes: number): string {
  return `cgroup=${hostCgroups}$(cut -d: -f3- /proc/self/cgroup)
    until [ "$(cat $cgroup/memory.swap.max)" = ${limitBytes} ]; do sleep 0.1; done`;
}

/** Waits until files hold these lines; throws with what they hold after a while. */
export async function untilHolds(
  guest: Guest,
  files: readonly string[],
  lines: readonly string[],
): Promise<void> {
  const read = `cat ${files.map(quote).join(" ")}`;
  const script = `wanted=${quote(lines.join("\n"))}
    until [ "$(${read} 2> /dev/null)" = "$wanted" ]; do
      (( SECONDS < ${patienceSeconds} )) || { echo "wanted $wanted, found:"; ${read}; exit 1; } >&2
      sleep 0.05
    done`;
  await guest.must(script);
}
