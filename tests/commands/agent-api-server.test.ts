import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { AgentNode } from "../node/agent-node.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster, podJson } from "../node/fake-cluster.ts";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { RunningAgent } from "../node/running-agent.ts";

const NODE = "node-0";
const PAGE = 4096;

/** The cluster's first pod, which runs on the node, with its cgroup and its limit. */
class FirstPod {
  readonly #node: AgentNode;
  readonly #cluster: FakeCluster;

  constructor(node: AgentNode, cluster: FakeCluster) {
    this.#node = node;
    this.#cluster = cluster;
    node.makeContainer(this.#pod, this.#id);
  }

  get limit(): string {
    return this.#node.swapMax(this.#pod, this.#id);
  }

  /** Changes the limit in its annotation: each pod of a fake cluster requests its revision, in bytes. */
  ask(bytes: number): void {
    this.#cluster.revision = bytes - 1;
    this.#cluster.put("pod-0", NODE);
  }

  get #pod() {
    return { uid: this.#cluster.pods.get("pod-0")?.uid ?? "" };
  }

  get #id(): string {
    const pod = this.#cluster.pods.get("pod-0");
    if (pod === undefined) throw new Error("the cluster has no pod-0");
    const { status } = podJson(pod);
    return status.containerStatuses?.[0]?.containerID?.replace(/^.*:\/\//, "") ?? "";
  }
}

function flagsOf(node: AgentNode, server: FakeApiServer): string[] {
  const { baseUrl, tokenFile, caFile } = server.options;
  return [
    ...node.flags,
    "--pod-source=ApiServer",
    `--api-server-url=${baseUrl}`,
    `--api-server-token-file=${tokenFile}`,
    `--api-server-ca-file=${caFile}`,
    `--node-name=${NODE}`,
  ];
}

describe("the API server as the source of pods", () => {
  let server: FakeApiServer;
  beforeAll(async () => {
    server = await FakeApiServer.start(new FakeCluster(0, 1));
  });
  afterAll(() => server[Symbol.dispose]());

  test("has limits follow the pods, over a dropped watch", async () => {
    const cluster = new FakeCluster(200, 110);
    server.reset(cluster);
    using node = await AgentNode.start();
    const first = new FirstPod(node, cluster);
    await using agent = new RunningAgent(flagsOf(node, server));
    await agent.event("agent-ready");
    first.ask(2 * PAGE);
    await agent.until(() => first.limit === String(2 * PAGE));
    server.dropWatches();
    first.ask(3 * PAGE);
    await agent.until(() => first.limit === String(3 * PAGE));
    // The kubelet was asked for its configuration, and for no pods.
    expect(node.kubelet.requests.map((head) => head.split(" ")[1])).toEqual(["/configz"]);
    expect(agent.events("swap-limit-failed")).toEqual([]);
  });

  test("does not replace the kubelet's own report that it limits swap itself", async () => {
    server.reset(new FakeCluster(200, 110));
    using node = await AgentNode.start();
    node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
    node.kubelet.goDown();
    await using agent = new RunningAgent([...flagsOf(node, server), "--pod-poll-seconds=1"]);
    await agent.event("agent-ready");
    await agent.event("kubelet-config-unknown");
    await node.kubelet.comeUp();
    expect(await agent.event("stood-down")).toMatchObject({ reason: "kubelet-configz" });
    expect(agent.events("kubelet-config-known")).toHaveLength(1);
  });

  test("makes the agent no larger in a large cluster", async () => {
    const peakBytes = async (pods: number) => {
      const cluster = new FakeCluster(pods, 110);
      server.reset(cluster);
      using node = await AgentNode.start();
      const first = new FirstPod(node, cluster);
      await using agent = new RunningAgent(flagsOf(node, server));
      await agent.event("agent-ready");
      // All events elsewhere in the cluster come before this.
      for (let index = 200; index < pods; index += 10) cluster.put(`pod-${index}`, "node-9");
      first.ask(cluster.revision + 64 * PAGE);
      const asked = Number(cluster.revision);
      await agent.until(() => first.limit === String(asked - (asked % PAGE)));
      expect(server.sent.pods).toBeLessThan(230);
      const [, kibibytes] =
        /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent.pid}/status`, "utf8")) ?? [];
      return Number(kibibytes) * 1024;
    };
    const [small, large] = [await peakBytes(200), await peakBytes(20_000)];
    expect(Math.abs(large - small)).toBeLessThan(8 * 2 ** 20);
  });

  test("gets no request if the kubelet is the source", async () => {
    server.reset(new FakeCluster(200, 110));
    using node = await AgentNode.start();
    await using agent = new RunningAgent([
      ...flagsOf(node, server),
      "--pod-source=Kubelet",
      "--sweep-seconds=1",
    ]);
    await agent.event("agent-ready");
    await agent.passes(2);
    expect(server.requests).toEqual([]);
  });
});
