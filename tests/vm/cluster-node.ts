/** The node as one of a cluster, with pods that really go when they are evicted. */
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import type { ObjectRequest } from "../node/fake-objects.ts";
import type { Runtime } from "./container.ts";
import type { Guest } from "./guest.ts";
import { NodePods, type PodContainer, type PodContainerSpec } from "./node-pods.ts";

/** The node's name at the API server. */
export const NODE = "node-0";

/** The one namespace whose pods the API server serves one by one. */
const NAMESPACE = "test";
const GRACE_SECONDS = 5;
const FOLDER = "/run/wasp-api-server";

/** The node with its pods, and an API server that knows of both. */
export class ClusterNode implements AsyncDisposable {
  readonly server: FakeApiServer;
  /** Names of the pods that went because the API server said so, the first one first. */
  readonly gone: string[] = [];
  readonly #guest: Guest;
  readonly #pods: NodePods;
  readonly #containers = new Map<string, PodContainer>();
  #terminations: Promise<void> = Promise.resolve();

  private constructor(guest: Guest, pods: NodePods, server: FakeApiServer) {
    this.#guest = guest;
    this.#pods = pods;
    this.server = server;
    server.objects.putNode(NODE);
    server.objects.onTermination = (podName) => {
      this.#terminations = this.#terminations.then(() => this.#terminate(podName));
    };
  }

  /** Starts the API server and the kubelet, and lays out on the node what it takes to reach them. */
  static async start(guest: Guest): Promise<ClusterNode> {
    const server = await FakeApiServer.start(new FakeCluster(0, 1));
    const { tokenFile, caFile } = server.options;
    await guest.push(tokenFile, `${FOLDER}/token`, 0o600);
    await guest.push(caFile, `${FOLDER}/ca.pem`, 0o644);
    return new ClusterNode(guest, await NodePods.start(guest), server);
  }

  /** The flags that lead an agent on the node to the kubelet and to the API server. */
  get flags(): string[] {
    const { port } = new URL(this.server.options.baseUrl);
    return [
      ...this.#pods.flags,
      `--node-name=${NODE}`,
      `--api-server-url=https://10.0.2.2:${port}`,
      `--api-server-token-file=${FOLDER}/token`,
      `--api-server-ca-file=${FOLDER}/ca.pem`,
    ];
  }

  /** Starts a container in a pod of its own, of which the kubelet and the API server tell. */
  async run(runtime: Runtime, spec: PodContainerSpec & { readonly name: string }): Promise<PodContainer> {
    const container = await this.#pods.run(runtime, { ...spec, namespace: NAMESPACE });
    const { name, uid } = container.pod;
    this.#containers.set(name, container);
    this.server.cluster.pods.set(name, { name, uid, node: NODE, revision: ++this.server.cluster.revision });
    this.#pods.tell(container);
    return container;
  }

  /** Waits until the pods that are to go are gone; throws when one does not go. */
  async settled(): Promise<void> {
    await this.#terminations;
  }

  /** The requests to evict a pod, oldest first. */
  get evictions(): ObjectRequest[] {
    return this.server.objects.requests.filter(({ line }) => line.endsWith("/eviction"));
  }

  /** Keys of the node's taints. */
  get taints(): unknown[] {
    const taints = this.server.objects.nodes.get(NODE)?.spec.taints ?? [];
    return taints.map((taint) => "key" in taint && taint.key);
  }

  /** Waits until the condition SwapPressure has a status. */
  async untilSwapPressure(wanted: "True" | "False", seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (this.#swapPressure !== wanted) {
      if (Date.now() > deadline)
        throw new Error(`SwapPressure is ${this.#swapPressure}, and was to be ${wanted}`);
      await Bun.sleep(100);
    }
  }

  /** Leaves nothing of pods on the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#terminations]);
    await this.#pods[Symbol.asyncDispose]();
    await this.#guest.must(`rm -r ${FOLDER}`);
    this.server[Symbol.dispose]();
  }

  get #swapPressure(): unknown {
    const { conditions = [] } = this.server.objects.nodes.get(NODE)?.status ?? {};
    const condition = conditions.find(({ type }) => type === "SwapPressure");
    return condition !== undefined && "status" in condition ? condition.status : undefined;
  }

  async #terminate(name: string): Promise<void> {
    const container = this.#containers.get(name);
    if (container === undefined)
      throw new Error(`the API server had ${name} go, which is no pod of the node`);
    await this.#pods.terminate(container, GRACE_SECONDS);
    this.gone.push(name);
    this.server.cluster.remove(name);
  }
}
