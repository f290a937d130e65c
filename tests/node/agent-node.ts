import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { QosClass } from "../../src/policy/pod-cgroup.ts";
import { answer, FakeKubelet } from "./fake-kubelet.ts";
import { FakeNode } from "./fake-node.ts";
import { type Layout, podPath } from "./kubepods-tree.ts";
import { type ContainerSpec, type PodSpec, podListJson } from "./pods.ts";

/** Where the fake node's pods are: under systemd, as CRI-O lays them out. */
const LAYOUT: Layout = { driver: "systemd", cgroupRoot: [] };

/** A node with a kubelet and pods in kubepods slices, on folders that stand for its cgroups. */
export class AgentNode implements Disposable {
  readonly node = new FakeNode(2);
  readonly kubelet: FakeKubelet;
  /** The pods that the kubelet tells of, by UID. */
  readonly pods = new Map<string, PodSpec>();
  /** The length of the kubelet's list. */
  listBytes = 0;

  private constructor(kubelet: FakeKubelet) {
    this.kubelet = kubelet;
    kubelet.write("token", "secret");
    this.makeCgroup("/kubepods.slice");
    this.tell();
  }

  /** Makes a node without pods. */
  static async start(): Promise<AgentNode> {
    return new AgentNode(await FakeKubelet.start());
  }

  /** The flags that show an agent this node. */
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

  /** Has the kubelet answer with the pods as they are now. */
  tell(): void {
    const list = podListJson([...this.pods.values()]);
    this.listBytes = Buffer.byteLength(list);
    this.kubelet.answer = answer("200 OK", list);
  }

  /** Makes a pod's cgroup and those of its containers that have an id, with no swap allowed, and tells of it. */
  addPod(pod: PodSpec): void {
    this.pods.set(pod.uid, pod);
    for (const { id } of pod.containers) if (id !== undefined) this.makeContainer(pod, id);
    this.tell();
  }

  /** Changes what the kubelet tells of a pod's containers. */
  changeContainers(pod: PodSpec, change: (container: ContainerSpec) => ContainerSpec): void {
    const known = this.pods.get(pod.uid) ?? pod;
    this.pods.set(pod.uid, { ...known, containers: known.containers.map(change) });
    this.tell();
  }

  /** Makes a container's cgroup as runc does, with no swap allowed. */
  makeContainer(pod: PodSpec, id: string): void {
    this.makeCgroup(containerPath(pod, id), "0");
  }

  /** Removes a pod with all its containers, and tells of it no more. */
  removePod(pod: PodSpec): void {
    rmSync(this.#directory(podPathOf(pod)), { recursive: true });
    this.pods.delete(pod.uid);
    this.tell();
  }

  /** Makes a cgroup with those above it, each with its limit files; all but the last allow any swap. */
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

  /** The directory of a container's cgroup. */
  directoryOf(pod: PodSpec, id: string): string {
    return this.#directory(containerPath(pod, id));
  }

  /** Reads a container's limit as its cgroup has it. */
  swapMax(pod: PodSpec, id: string): string {
    return this.node.read(`/sys/fs/cgroup${containerPath(pod, id)}/memory.swap.max`);
  }

  /** Writes a container's limit, as somebody else would. */
  writeSwapMax(pod: PodSpec, id: string, text: string): void {
    this.node.write(`/sys/fs/cgroup${containerPath(pod, id)}/memory.swap.max`, text);
  }

  [Symbol.dispose](): void {
    this.kubelet[Symbol.dispose]();
    this.node[Symbol.dispose]();
  }

  // Put in place whole: whoever watches never sees a real cgroup without its files.
  #makeLevel(path: string, files: Record<string, string>): void {
    const directory = this.#directory(path);
    if (existsSync(directory)) return;
    const draft = mkdtempSync(`${this.node.root}/draft-`);
    for (const [name, text] of Object.entries(files)) writeFileSync(`${draft}/${name}`, `${text}\n`);
    mkdirSync(dirname(directory), { recursive: true });
    renameSync(draft, directory);
  }

  #directory(path: string): string {
    return `${this.node.root}/sys/fs/cgroup${path}`;
  }
}

/** The path of a container's cgroup below the mount point. */
function containerPath(pod: PodSpec, id: string): string {
  return `${podPathOf(pod)}/crio-${id}.scope`;
}

function podPathOf({ uid, qosClass = "Burstable" }: { uid: string; qosClass?: QosClass }): string {
  return podPath(LAYOUT, qosClass, uid);
}
