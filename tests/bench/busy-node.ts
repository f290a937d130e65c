import { statSync } from "node:fs";
import { AgentNode } from "../node/agent-node.ts";
import { RECORDED_NODE } from "../node/fake-node.ts";
import { kubeletSwapLimit } from "../node/kubelet.ts";
import { containerIdOf, podUidOf } from "../node/kubepods-tree.ts";
import type { ContainerSpec, PodSpec } from "../node/pods.ts";
import type { RunningAgent } from "../node/running-agent.ts";

/** Numbers of pods and containers of the node. */
export const PODS = 250;
export const CONTAINERS = 2 * PODS;

const REQUEST_BYTES = 64 * 2 ** 20;
const PAGE_BYTES = 4096;
const EXACT = String(exactLimit());

/** Node with as many pods as a large one, each as long in the kubelet's list as a real one: 12 KiB. */
export class BusyNode implements Disposable {
  readonly #node: AgentNode;
  #pods = 0;

  private constructor(node: AgentNode) {
    this.#node = node;
  }

  /** Creates a node whose pods existed before any agent. */
  static async start(): Promise<BusyNode> {
    const node = new BusyNode(await AgentNode.start());
    for (let number = 0; number < PODS; number++) node.add(2);
    return node;
  }

  get flags(): string[] {
    return this.#node.flags;
  }

  /** Returns the length of the kubelet's current list, in bytes. */
  get listBytes(): number {
    return this.#node.listBytes;
  }

  /** Returns the number of requests for a path so far. */
  requests(path: string): number {
    return this.#node.kubelet.requests.filter((head) => head.startsWith(`GET ${path} `)).length;
  }

  /** Adds a pod, with a pause container that is not in its status; its status is available at once. */
  add(containers: number): PodSpec {
    const number = ++this.#pods;
    const names = Array.from({ length: containers }, (_, index) => `container-${index}`);
    const pod: PodSpec = {
      uid: podUidOf(number),
      name: `pod-${number}`,
      // As long as a Deployment's annotations and managed fields.
      annotations: { "example.com/checksums": "0123456789abcdef".repeat(128) },
      containers: names.map((name, index) => containerOf(name, number * 16 + index)),
    };
    this.#node.makeContainer(pod, containerIdOf(number * 16 + 15));
    this.#node.addPod(pod);
    return pod;
  }

  remove(pod: PodSpec): void {
    this.#node.removePod(pod);
  }

  /** Waits until each of the pod's containers has its exact limit, and returns the delay in milliseconds. */
  async exact(agent: RunningAgent, pod: PodSpec): Promise<number[]> {
    const ids = pod.containers.map(({ id = "" }) => id);
    await agent.until(() => ids.every((id) => this.#node.swapMax(pod, id) === EXACT), pod.name);
    // By the kernel's clock, which stamps a new directory and a written file.
    return ids.map((id) => {
      const directory = this.#node.directoryOf(pod, id);
      return statSync(`${directory}/memory.swap.max`).mtimeMs - statSync(directory).ctimeMs;
    });
  }

  [Symbol.dispose](): void {
    this.#node[Symbol.dispose]();
  }
}

// The environment is a third of a container in the kubelet's list.
function containerOf(name: string, number: number): ContainerSpec {
  const env = Array.from({ length: 24 }, (_, index) => ({
    name: `SETTING_OF_THE_SERVICE_${index}`,
    value: `https://service-${index}.namespace.svc.cluster.local:8443/`,
  }));
  return { name, id: containerIdOf(number), requestBytes: REQUEST_BYTES, limitBytes: 8 * REQUEST_BYTES, env };
}

function exactLimit(): number {
  const { memoryKibibytes, swapKibibytes } = RECORDED_NODE;
  const bytes = kubeletSwapLimit(REQUEST_BYTES, memoryKibibytes * 1024, swapKibibytes * 1024);
  return bytes - (bytes % PAGE_BYTES);
}
