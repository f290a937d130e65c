import { renameSync } from "node:fs";
import type { V1NodeCondition, V1Taint } from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { AgentNode } from "./agent-node.ts";
import { ConfigMap } from "./config-map.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import { FakeCluster } from "./fake-cluster.ts";
import type { ObjectRequest } from "./fake-objects.ts";
import { type PodSpec, podOf } from "./pods.ts";
import { RunningAgent } from "./running-agent.ts";

/** Name of the node at the API server. */
export const NODE = "node-0";

const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";
const STEP_MILLISECONDS = 200;
const STALLED_FRACTION = 0.5;
const PAGES_PER_SECOND = 400;
const MI = 2 ** 20;
// All of the pods' memory is in use under pressure, and half of it afterwards.
const LIMIT_BYTES = 2000 * MI;
const RELIEVED_FRACTION = 0.5;

/** Knobs with short times until an eviction and between two of them. */
const QUICK = {
  evictionThresholds: [
    {
      name: "stalled",
      allOf: [{ signal: "harm", operator: ">=", value: "10%" }],
      graceSeconds: 0,
      minClearSeconds: 2,
      hard: true,
    },
  ],
  cooldownSeconds: 1,
  podPollSeconds: 1,
  trafficWindowSeconds: 2,
};

/**
 * Fake node under swap pressure, whose kubelet and API server list the same pods: they use all of the memory that they may
 * have together, stall for half of the time, and read back what was swapped out, until `relieve`.
 */
export class PressedNode implements Disposable {
  readonly node: AgentNode;
  readonly server: FakeApiServer;
  readonly config: ConfigMap;
  readonly #knobs: Readonly<Record<string, unknown>>;
  readonly #timer: NodeJS.Timeout;
  /** Directories of the containers that read back what was swapped out, by pod name. */
  readonly #thrashing = new Map<string, readonly string[]>();
  #isPressed = true;
  #pressedSeconds = 0;
  #steppedMilliseconds = performance.now();

  private constructor(node: AgentNode, server: FakeApiServer, knobs: Readonly<Record<string, unknown>>) {
    this.node = node;
    this.server = server;
    this.#knobs = { ...QUICK, ...knobs };
    this.config = new ConfigMap({ ...this.#knobs, evictionMode: "Enforce" });
    server.objects.putNode(NODE);
    server.objects.onTermination = (podName) => this.remove(podName);
    this.#put(`${KUBEPODS}/memory.max`, String(LIMIT_BYTES));
    this.#put(`${KUBEPODS}/memory.high`, "max");
    this.#put(`${KUBEPODS}/memory.current`, String(LIMIT_BYTES));
    this.#put("/proc/meminfo", MEMINFO);
    this.#step();
    this.#timer = setInterval(() => this.#step(), STEP_MILLISECONDS);
  }

  /** Creates a node without pods, for an agent with these knobs in addition to the short times. */
  static async start(knobs: Readonly<Record<string, unknown>> = {}): Promise<PressedNode> {
    const [node, server] = await Promise.all([AgentNode.start(), FakeApiServer.start(new FakeCluster(0, 1))]);
    return new PressedNode(node, server, knobs);
  }

  /** Flags with which an agent runs on this node, with its API server and its configuration. */
  get flags(): string[] {
    const { baseUrl, tokenFile, caFile } = this.server.options;
    return [
      ...this.node.flags,
      `--config=${this.config.path}`,
      `--api-server-url=${baseUrl}`,
      `--api-server-token-file=${tokenFile}`,
      `--api-server-ca-file=${caFile}`,
    ];
  }

  /** Starts an agent on this node, in the configured mode Enforce or in another one. */
  agent(mode?: string): RunningAgent {
    const modeFlags = mode === undefined ? [] : [`--eviction-mode=${mode}`];
    return new RunningAgent([...this.flags, ...modeFlags, `--node-name=${NODE}`]);
  }

  /** Changes the configuration file. */
  configure(knobs: Readonly<Record<string, unknown>>): void {
    this.config.publish({ ...this.#knobs, ...knobs });
  }

  /** Adds, for the number 1, the pod `pod-1` with a request of 64 MiB and this usage. */
  addPod(number: number, usageMebibytes: number, changes: Partial<PodSpec> = {}): PodSpec {
    const pod = podOf(number, { namespace: "test", ...changes });
    const { name, uid } = pod;
    this.server.cluster.pods.set(name, { name, uid, node: NODE, revision: ++this.server.cluster.revision });
    this.node.addPod(pod);
    for (const { id = "" } of pod.containers) {
      const directory = this.#directoryOf(pod, id);
      this.#put(`${directory}/memory.current`, String(usageMebibytes * MI));
      this.#put(`${directory}/memory.stat`, statOf(0));
    }
    return pod;
  }

  /** Lets a pod's containers read back what was swapped out. */
  thrash(pod: PodSpec): void {
    const directories = pod.containers.map(({ id = "" }) => this.#directoryOf(pod, id));
    this.#thrashing.set(pod.name, directories);
  }

  /** Marks a pod as terminating in the kubelet's list. */
  terminate(podName: string): void {
    const pod = [...this.node.pods.values()].find(({ name }) => name === podName);
    if (pod !== undefined) this.node.pods.set(pod.uid, { ...pod, isTerminating: true });
  }

  /** Removes a pod from the kubelet and from the API server. */
  remove(podName: string): void {
    const pod = [...this.node.pods.values()].find(({ name }) => name === podName);
    if (pod !== undefined) this.node.removePod(pod);
    this.#thrashing.delete(podName);
    this.server.cluster.pods.delete(podName);
  }

  /** Ends the pressure. */
  relieve(): void {
    this.#isPressed = false;
    this.#put(`${KUBEPODS}/memory.current`, String(RELIEVED_FRACTION * LIMIT_BYTES));
  }

  /** Sets the node's taints at the API server. */
  taint(...taints: readonly Json<V1Taint>[]): void {
    this.server.objects.putNode(NODE, { spec: { taints } });
  }

  /** Sets the node's annotation `wasp.io/eviction` at the API server, or removes it. */
  annotate(value: string | undefined): void {
    const { "wasp.io/eviction": _, ...others } =
      this.server.objects.nodes.get(NODE)?.metadata.annotations ?? {};
    const annotations = value === undefined ? others : { ...others, "wasp.io/eviction": value };
    this.server.objects.putNode(NODE, { metadata: { annotations } });
  }

  /** Taints of the node at the API server. */
  get taints(): readonly Json<V1Taint>[] {
    return this.server.objects.nodes.get(NODE)?.spec.taints ?? [];
  }

  /** Condition SwapPressure of the node at the API server. */
  get condition(): Json<V1NodeCondition> | undefined {
    const { conditions = [] } = this.server.objects.nodes.get(NODE)?.status ?? {};
    return conditions.find(({ type }) => type === "SwapPressure");
  }

  /** Eviction requests, oldest first. */
  get evictions(): ObjectRequest[] {
    return this.server.objects.requests.filter(({ line }) => line.endsWith("/eviction"));
  }

  /** Names of the pods in the eviction requests, oldest first. */
  get asked(): string[] {
    return this.evictions.map(({ line }) => line.split("/").at(-2) ?? "");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.config[Symbol.dispose]();
    this.server[Symbol.dispose]();
    this.node[Symbol.dispose]();
  }

  #directoryOf(pod: PodSpec, containerId: string): string {
    return this.node.directoryOf(pod, containerId).slice(this.node.node.root.length);
  }

  #step(): void {
    const now = performance.now();
    if (this.#isPressed) this.#pressedSeconds += (now - this.#steppedMilliseconds) / 1000;
    this.#steppedMilliseconds = now;
    const pages = Math.round(this.#pressedSeconds * PAGES_PER_SECOND);
    const stalled = Math.round(this.#pressedSeconds * STALLED_FRACTION * 1e6);
    this.#put("/proc/vmstat", `pswpin ${pages}\npswpout ${pages}\n`);
    this.#put(`${KUBEPODS}/memory.stat`, statOf(pages));
    for (const directory of [...this.#thrashing.values()].flat())
      this.#put(`${directory}/memory.stat`, statOf(pages));
    const averages = "avg10=0.00 avg60=0.00 avg300=0.00";
    this.#put(
      `${KUBEPODS}/memory.pressure`,
      `some ${averages} total=${stalled}\nfull ${averages} total=${stalled}`,
    );
  }

  // By a rename: a reader sees the old or the new file as a whole.
  #put(path: string, text: string): void {
    this.node.node.write("/next", `${text}\n`);
    renameSync(`${this.node.node.root}/next`, this.node.node.root + path);
  }
}

const MEMINFO = [
  "MemTotal:        4016548 kB",
  "MemAvailable:     400000 kB",
  "SwapTotal:       1048572 kB",
  "SwapFree:         524286 kB",
].join("\n");

function statOf(anonRefaults: number): string {
  return `anon 0\ninactive_file 0\nworkingset_refault_anon ${anonRefaults}\nworkingset_refault_file 0`;
}
