import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { QosClass } from "../../src/policy/kubernetes/pod-cgroup.ts";
import { answer, FakeKubelet } from "./fake-kubelet.ts";
import { FakeNode, RECORDED_NODE } from "./fake-node.ts";
import { kubeletSwapLimit } from "./kubelet.ts";
import { kubepodsPath, type Layout, podPath } from "./kubepods-tree.ts";
import { type ContainerSpec, type PodSpec, podListJson } from "./pods.ts";

/** Naming scheme of a fake node's cgroups. */
export interface Naming extends Layout {
  readonly runtime: "crio" | "cri-containerd";
}

const NAMING: Naming = { driver: "systemd", cgroupRoot: [], runtime: "crio" };

const PAGE_BYTES = 4096;
// Longer than any number: an overwritten one leaves nothing behind.
const FIGURE_WIDTH = 24;

/** Returns the kubelet's swap limit for a memory request in bytes, in whole pages, as the cgroup's file has it. */
export function shareOf(requestBytes: number, { memoryKibibytes, swapKibibytes } = RECORDED_NODE): string {
  const bytes = kubeletSwapLimit(requestBytes, memoryKibibytes * 1024, swapKibibytes * 1024);
  return String(bytes - (bytes % PAGE_BYTES));
}

/** Pod as its cgroup identifies it. */
export type PodOfCgroup = { readonly uid: string; readonly qosClass?: QosClass };

/** Fake node with a kubelet and pods, whose cgroups are ordinary folders. */
export class AgentNode implements Disposable {
  readonly node = new FakeNode(2);
  readonly kubelet: FakeKubelet;
  /** Pods of the kubelet's list, by UID, unless a test replaces its answer. */
  readonly pods = new Map<string, PodSpec>();
  readonly #naming: Naming;
  /** Size of the kubelet's last list. */
  listBytes = 0;

  private constructor(kubelet: FakeKubelet, naming: Naming) {
    this.kubelet = kubelet;
    this.#naming = naming;
    kubelet.write("token", "secret");
    kubelet.answer = (socket) => {
      const list = podListJson([...this.pods.values()]);
      this.listBytes = Buffer.byteLength(list);
      answer("200 OK", list)(socket);
    };
    this.makeCgroup(this.kubepods);
  }

  /** Creates a node without pods, by default under systemd and CRI-O. */
  static async start(naming: Partial<Naming> = {}): Promise<AgentNode> {
    return new AgentNode(await FakeKubelet.start(), { ...NAMING, ...naming });
  }

  /** Flags with which an agent runs on this node. */
  get flags(): string[] {
    const { folder, port } = this.kubelet;
    return [
      `--fsroot=${this.node.root}`,
      `--kubelet-port=${port}`,
      `--kubelet-token-file=${folder}/token`,
      `--kubelet-serving-certificate-file=${folder}/kubelet.pem`,
      "--http-port=0",
    ];
  }

  /** Path of the kubepods cgroup. */
  get kubepods(): string {
    return kubepodsPath(this.#naming);
  }

  /** Creates the cgroups of a pod and of its containers that have an id, with this limit, and lists the pod. */
  addPod(pod: PodSpec, swapMax = "0"): void {
    this.pods.set(pod.uid, pod);
    for (const { id } of pod.containers) if (id !== undefined) this.makeContainer(pod, id, swapMax);
  }

  /** Changes a pod's containers in the kubelet's list. */
  changeContainers(pod: PodSpec, change: (container: ContainerSpec) => ContainerSpec): void {
    const known = this.pods.get(pod.uid) ?? pod;
    this.pods.set(pod.uid, { ...known, containers: known.containers.map(change) });
  }

  /** Creates a container's cgroup as runc does, with this limit. */
  makeContainer(pod: PodOfCgroup, id: string, swapMax = "0"): void {
    this.makeCgroup(this.containerPath(pod, id), swapMax);
  }

  /** Removes a pod with all its containers, also from the kubelet's list. */
  removePod(pod: PodSpec): void {
    this.removeCgroup(this.podPath(pod));
    this.pods.delete(pod.uid);
  }

  /** Creates a cgroup and its ancestors with their limit files; the ancestors have no limit. */
  makeCgroup(path: string, swapMax = "max"): void {
    const names = path.split("/").slice(1);
    for (let depth = 1; depth <= names.length; depth++) {
      const level = `/${names.slice(0, depth).join("/")}`;
      const files = {
        "memory.swap.current": "0",
        "memory.swap.max": depth === names.length ? swapMax : "max",
      };
      this.#makeLevel(level, files);
    }
  }

  /** Removes a cgroup and its descendants. */
  removeCgroup(path: string): void {
    // Moved away first: a watcher never sees a cgroup that lacks some of its files.
    const draft = mkdtempSync(`${this.node.root}/draft-`);
    renameSync(this.#directory(path), `${draft}/removed`);
    rmSync(draft, { recursive: true });
  }

  /** Directory of a container's cgroup. */
  directoryOf(pod: PodOfCgroup, id: string): string {
    return this.#directory(this.containerPath(pod, id));
  }

  /** Reads a container's limit from its cgroup. */
  swapMax(pod: PodOfCgroup, id: string): string {
    return this.swapMaxAt(this.containerPath(pod, id));
  }

  /** Writes a container's limit, as another program would. */
  writeSwapMax(pod: PodOfCgroup, id: string, text: string): void {
    this.writeSwapMaxAt(this.containerPath(pod, id), text);
  }

  /** Sets the swap usage of a container. */
  setSwapUsage(pod: PodOfCgroup, id: string, bytes: number): void {
    this.#overwrite(`${this.containerPath(pod, id)}/memory.swap.current`, String(bytes));
  }

  /** Reads the limit of any cgroup. */
  swapMaxAt(path: string): string {
    return this.node.read(`/sys/fs/cgroup${path}/memory.swap.max`);
  }

  /** Writes the limit of any cgroup. */
  writeSwapMaxAt(path: string, text: string): void {
    this.#overwrite(`${path}/memory.swap.max`, text);
  }

  /** Path of a container's cgroup below the mount point. */
  containerPath(pod: PodOfCgroup, id: string): string {
    const { driver, runtime } = this.#naming;
    const name = driver === "cgroupfs" && runtime === "cri-containerd" ? id : `${runtime}-${id}`;
    return `${this.podPath(pod)}/${driver === "systemd" ? `${name}.scope` : name}`;
  }

  /** Path of a pod's cgroup below the mount point. */
  podPath({ uid, qosClass = "Burstable" }: PodOfCgroup): string {
    return podPath(this.#naming, qosClass, uid);
  }

  [Symbol.dispose](): void {
    this.kubelet[Symbol.dispose]();
    this.node[Symbol.dispose]();
  }

  // Put in place by a rename: a watcher never sees a cgroup without its files.
  #makeLevel(path: string, files: Record<string, string>): void {
    const directory = this.#directory(path);
    if (existsSync(directory)) return;
    const draft = mkdtempSync(`${this.node.root}/draft-`);
    for (const [name, text] of Object.entries(files)) writeFileSync(`${draft}/${name}`, `${text}\n`);
    mkdirSync(dirname(directory), { recursive: true });
    renameSync(draft, directory);
  }

  // One write without truncation, as in the kernel: a reader never sees an empty file.
  #overwrite(file: string, text: string): void {
    const descriptor = openSync(this.#directory(file), "r+");
    writeSync(descriptor, text.padEnd(FIGURE_WIDTH));
    closeSync(descriptor);
  }

  #directory(path: string): string {
    return `${this.node.root}/sys/fs/cgroup${path}`;
  }
}
