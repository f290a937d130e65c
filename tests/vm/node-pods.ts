/** Long-running pods on the node: podman runs their containers, and a fake kubelet in this process lists them. */
import { answer, FakeKubelet } from "../node/fake-kubelet.ts";
import { kubeletOomScoreAdj, kubeletSwapLimit } from "../node/kubelet.ts";
import { podPath, podUidOf } from "../node/kubepods-tree.ts";
import { type PodSpec, podListJson } from "../node/pods.ts";
import { type ContainerSpec, containerName, hostCgroups, podmanRun, type Runtime } from "./container.ts";
import { scaledSeconds } from "./deadline.ts";
import { type Guest, quote } from "./guest.ts";
import { readCapacity } from "./pods.ts";

/** Settings of a container of NodePods; by default the kubelet's, with the hook installed. */
export interface PodContainerSpec
  extends Pick<ContainerSpec, "memory" | "hooksFolder" | "annotations" | "cgroupManager"> {
  /** Name of the pod; a unique one by default. */
  name?: string;
  /** Namespace of the pod; `default` by default. */
  namespace?: string;
  requestBytes: number;
  /** Volumes in podman's format: `/usr:/usr:ro`. */
  volumes?: readonly string[];
  /** Script of its process; by default it sleeps. */
  script?: string;
}

/** The only container of a Burstable pod on the node. */
export interface PodContainer {
  readonly id: string;
  readonly pod: PodSpec;
  readonly requestBytes: number;
  /** Directories of the container's own cgroups, innermost first. */
  readonly own: readonly string[];
}

/** Flags that disable an agent's periodic sweeps, so that it can only react to notifications. */
export const onlyEvents = ["--sweep-seconds=3600", "--pod-poll-seconds=3600"];

/** Folder without hooks. */
export const noHooks = "/run/no-hooks.d";

const FOLDER = "/run/wasp-kubelet";
const CGROUPS = "/sys/fs/cgroup";
const PATIENCE_SECONDS = 30;

/** Pods of the node. */
export class NodePods implements AsyncDisposable {
  /** Folder on the node with the credentials for the kubelet: `kubelet.pem` and `token`. */
  readonly folder = FOLDER;
  readonly kubelet: FakeKubelet;
  readonly #guest: Guest;
  readonly #pods = new Map<string, PodSpec>();
  #started = 0;

  private constructor(guest: Guest, kubelet: FakeKubelet) {
    this.#guest = guest;
    this.kubelet = kubelet;
    this.#listAll();
  }

  /** Starts the kubelet, and copies its credentials to the node. */
  static async start(guest: Guest): Promise<NodePods> {
    const kubelet = await FakeKubelet.start();
    await guest.push(`${kubelet.folder}/kubelet.pem`, `${FOLDER}/kubelet.pem`, 0o644);
    await guest.must(`mkdir --parents ${noHooks}; echo secret > ${FOLDER}/token`);
    return new NodePods(guest, kubelet);
  }

  /** Flags with which an agent on the node reaches the kubelet; the guest reaches this host at 10.0.2.2. */
  get flags(): string[] {
    return [
      "--kubelet-host=10.0.2.2",
      `--kubelet-port=${this.kubelet.port}`,
      `--kubelet-token-file=${FOLDER}/token`,
      `--kubelet-serving-certificate-file=${FOLDER}/kubelet.pem`,
    ];
  }

  /** Starts a container in a new pod, which the kubelet does not list yet. */
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
    const scope = `${CGROUPS}${path}/libpod-${id}${cgroupManager === "systemd" ? ".scope" : ""}`;
    const isNested = runtime === "crun" && cgroupManager === "systemd";
    const containers = [{ name: containerName, id, requestBytes }];
    const pod = { uid, name, namespace, containers };
    return { id, pod, requestBytes, own: isNested ? [`${scope}/container`, scope] : [scope] };
  }

  /** Adds a container's pod to the kubelet's list. */
  list({ pod }: PodContainer): void {
    this.#pods.set(pod.uid, pod);
    this.#listAll();
  }

  /**
   * Ends a container as the kubelet does after its pod was deleted: lists the pod as terminating, sends SIGTERM to the
   * container and SIGKILL after the grace period, and then removes the pod from the list.
   */
  async terminate(container: PodContainer, graceSeconds: number): Promise<void> {
    this.list({ ...container, pod: { ...container.pod, isTerminating: true } });
    const id = quote(container.id);
    // A process that waits for its swapped-out memory outlives SIGKILL for longer than podman waits.
    await this.#guest.must(`podman stop --time ${graceSeconds} ${id} || podman wait ${id}`);
    await this.remove(container);
  }

  /** Starts a container in a new pod, which the kubelet lists. */
  async runListed(runtime: Runtime, spec: PodContainerSpec): Promise<PodContainer> {
    const container = await this.run(runtime, spec);
    this.list(container);
    return container;
  }

  /** Returns the swap limit that a container is entitled to on the node as it is now, in whole pages. */
  async entitlementOf({ requestBytes }: Pick<PodContainer, "requestBytes">): Promise<number> {
    const { memoryTotalBytes, swapTotalBytes } = await readCapacity(this.#guest);
    const bytes = kubeletSwapLimit(requestBytes, memoryTotalBytes, swapTotalBytes);
    return bytes - (bytes % 4096);
  }

  /** Waits until all of a container's own cgroups have its entitlement as limit, and returns it; throws with their limits. */
  async untilExact(container: PodContainer): Promise<number> {
    const entitledBytes = await this.entitlementOf(container);
    const wanted = container.own.map(() => String(entitledBytes));
    const files = container.own.map((directory) => `${directory}/memory.swap.max`);
    await untilHolds(this.#guest, files, wanted);
    return entitledBytes;
  }

  /** Ends containers, and removes their pods from the kubelet's list. */
  async remove(...containers: PodContainer[]): Promise<void> {
    for (const { pod } of containers) this.#pods.delete(pod.uid);
    this.#listAll();
    const ids = containers.map(({ id }) => quote(id)).join(" ");
    await this.#guest.must(`podman rm --force --time 0 ${ids}`);
  }

  /** Removes all pods, and their cgroups, from the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guest.must(`podman rm --force --all --time 0; ${removeKubepods}; rm -r ${FOLDER} ${noHooks}`);
    this.kubelet[Symbol.dispose]();
  }

  #listAll(): void {
    this.kubelet.answer = answer("200 OK", podListJson([...this.#pods.values()]));
  }
}

/** Script that removes all cgroups of pods, under both drivers. */
export const removeKubepods = `systemctl stop kubepods.slice
[ ! -e ${CGROUPS}/kubepods ] || find ${CGROUPS}/kubepods -depth -type d -exec rmdir {} +`;

/** Returns the beginning of a container's script: it sets `$cgroup`, and waits until that has this limit. */
export function untilLimitIs(limitBytes: number): string {
  return `cgroup=${hostCgroups}$(cut -d: -f3- /proc/self/cgroup)
    until [ "$(cat $cgroup/memory.swap.max)" = ${limitBytes} ]; do sleep 0.1; done`;
}

/** Waits until files have these values; throws with their values after a time-out. */
export async function untilHolds(
  guest: Guest,
  files: readonly string[],
  lines: readonly string[],
): Promise<void> {
  const read = `cat ${files.map(quote).join(" ")}`;
  const script = `wanted=${quote(lines.join("\n"))}
    until [ "$(${read} 2> /dev/null)" = "$wanted" ]; do
      (( SECONDS < ${scaledSeconds(PATIENCE_SECONDS)} )) || { echo "wanted $wanted, found:"; ${read}; exit 1; } >&2
      sleep 0.05
    done`;
  await guest.must(script);
}
