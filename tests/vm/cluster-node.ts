/** The node as a member of a cluster whose pods end when they are evicted. */
import type { CoreV1Event, V1NodeCondition } from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { STOP_ANNOTATION } from "../../src/cluster/node-eviction-stop.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import type { ObjectRequest } from "../node/fake-objects.ts";
import type { Runtime } from "./container.ts";
import { retried } from "./deadline.ts";
import type { Guest } from "./guest.ts";
import { NodePods, type PodContainer, type PodContainerSpec } from "./node-pods.ts";

/** Name of the node at the API server. */
export const NODE = "node-0";

/** The only namespace whose pods the fake API server serves individually. */
const NAMESPACE = "test";
const GRACE_SECONDS = 5;
const FOLDER = "/run/wasp-api-server";

/** The node, its pods, and an API server that serves both. */
export class ClusterNode implements AsyncDisposable {
  readonly server: FakeApiServer;
  /** Names of the pods that the API server terminated, oldest first. */
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

  /** Starts the API server and the kubelet, and copies the credentials for both to the node. */
  static async start(guest: Guest): Promise<ClusterNode> {
    const server = await FakeApiServer.start(new FakeCluster(0, 1));
    const { tokenFile, caFile } = server.options;
    await guest.push(tokenFile, `${FOLDER}/token`, 0o600);
    await guest.push(caFile, `${FOLDER}/ca.pem`, 0o644);
    return new ClusterNode(guest, await NodePods.start(guest), server);
  }

  /** Flags with which an agent on the node reaches the kubelet and the API server. */
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

  /** Starts a container in a new pod, which the kubelet and the API server list. */
  async run(runtime: Runtime, spec: PodContainerSpec & { readonly name: string }): Promise<PodContainer> {
    const container = await this.#pods.run(runtime, { namespace: NAMESPACE, ...spec });
    const { name, uid } = container.pod;
    this.#containers.set(name, container);
    this.server.cluster.pods.set(name, { name, uid, node: NODE, revision: ++this.server.cluster.revision });
    this.#pods.list(container);
    return container;
  }

  /** Waits until all pods that are terminating have ended; throws when one does not. */
  async untilTerminated(): Promise<void> {
    await this.#terminations;
  }

  /** Eviction requests, oldest first. */
  get evictions(): ObjectRequest[] {
    return this.server.objects.requests.filter(({ line }) => line.endsWith("/eviction"));
  }

  /** Keys of the node's taints. */
  get taints(): unknown[] {
    const taints = this.server.objects.nodes.get(NODE)?.spec.taints ?? [];
    return taints.map((taint) => "key" in taint && taint.key);
  }

  /** Sets the node's annotation `wasp.io/eviction`, or removes it. */
  annotate(value: string | undefined): void {
    const { [STOP_ANNOTATION]: _, ...others } =
      this.server.objects.nodes.get(NODE)?.metadata.annotations ?? {};
    const annotations = value === undefined ? others : { ...others, [STOP_ANNOTATION]: value };
    this.server.objects.putNode(NODE, { metadata: { annotations } });
  }

  /** Waits until the condition SwapPressure has this status, and returns its message, which has to contain this text. */
  async untilSwapPressure(wanted: "True" | "False", seconds: number, text = ""): Promise<string> {
    return await retried(
      seconds,
      async () => {
        const { status, message = "" } = this.#swapPressure ?? {};
        return status === wanted && message.includes(text) ? message : undefined;
      },
      () => `SwapPressure is ${JSON.stringify(this.#swapPressure)} instead of ${wanted} ${text}`,
    );
  }

  /** Waits for an Event of this reason, and returns it. */
  async untilEvent(reason: string, seconds: number): Promise<Json<CoreV1Event>> {
    const { events } = this.server.objects;
    return await retried(
      seconds,
      async () => [...events.values()].find((event) => event.reason === reason),
      () => `no Event ${reason} among ${JSON.stringify([...events.values()])}`,
    );
  }

  /** Removes all pods, and their cgroups, from the node. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#terminations]);
    await this.#pods[Symbol.asyncDispose]();
    await this.#guest.must(`rm -r ${FOLDER}`);
    this.server[Symbol.dispose]();
  }

  get #swapPressure(): Json<V1NodeCondition> | undefined {
    const { conditions = [] } = this.server.objects.nodes.get(NODE)?.status ?? {};
    return conditions.find(({ type }) => type === "SwapPressure");
  }

  async #terminate(name: string): Promise<void> {
    const container = this.#containers.get(name);
    if (container === undefined)
      throw new Error(`the API server terminates ${name}, which is not a pod of the node`);
    await this.#pods.terminate(container, GRACE_SECONDS);
    this.gone.push(name);
    this.server.cluster.remove(name);
  }
}
