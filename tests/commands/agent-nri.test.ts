import { describe, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { RECORDED_NODE } from "../node/fake-node.ts";
import { kubeletSwapLimit } from "../node/kubelet.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { created, resized, type Subject, subjectOf } from "../node/nri-node.ts";
import { type PodSpec, podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";
import { RunningWasp } from "../node/running-wasp.ts";
import type { RuntimeSide } from "../nri/fake-runtime.ts";
import { FakeRuntime } from "../nri/fake-runtime.ts";
import { patience } from "../patience.ts";

const MI = 2 ** 20;
const ID = containerIdOf(1);
const BRONZE = { "class.memory-qos.nri.io": "bronze" };
const LIMIT_BYTES = 512 * MI;

/** Swap limit by the kubelet's formula for a request, to the byte. */
function exactShareOf(requestBytes: number): string {
  const { memoryKibibytes, swapKibibytes } = RECORDED_NODE;
  return String(kubeletSwapLimit(requestBytes, memoryKibibytes * 1024, swapKibibytes * 1024));
}

/** A pod and its container as the runtime reports them. */
function reportedOf(pod: PodSpec, number: number): Subject {
  return subjectOf(number, {
    ...{ podUid: pod.uid, podName: pod.name, containerId: containerIdOf(number) },
    annotations: { ...pod.annotations },
    memoryLimitBytes: LIMIT_BYTES,
  });
}

/** A node with a runtime that accepts plugins, and records their updates. */
class NriAgentNode implements AsyncDisposable {
  readonly agentNode: AgentNode;
  readonly runtime: FakeRuntime;
  /** The plugin's own updates, in order: the container's id, and the files. */
  readonly updates: [string, Record<string, string>][];

  private constructor(agentNode: AgentNode, runtime: FakeRuntime, updates: NriAgentNode["updates"]) {
    this.agentNode = agentNode;
    this.runtime = runtime;
    this.updates = updates;
  }

  static async start(): Promise<NriAgentNode> {
    const agentNode = await AgentNode.start();
    agentNode.node.write("/sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
    const updates: NriAgentNode["updates"] = [];
    const runtime = await FakeRuntime.listen(`${agentNode.node.root}/nri.sock`, {
      updates: ({ update }) => {
        for (const { containerId, linux } of update)
          updates.push([containerId, { ...linux?.resources?.unified }]);
        return {};
      },
    });
    return new NriAgentNode(agentNode, runtime, updates);
  }

  get flags(): string[] {
    return [...this.agentNode.flags, "--nri", `--nri-socket=${this.runtime.path}`, "--pod-poll-seconds=1"];
  }

  /** Writes the agent's configuration file. */
  setConfig(fields: string): string {
    const path = `${this.agentNode.node.root}/config.yaml`;
    writeFileSync(`${path}.next`, `apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\n${fields}\n`);
    renameSync(`${path}.next`, path);
    return path;
  }

  /** Takes a connecting plugin to the end of its synchronization. */
  async serve(present: Parameters<RuntimeSide["begin"]>[0] = {}): Promise<RuntimeSide> {
    const side = await this.runtime.connection();
    await side.begin(present);
    return side;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.runtime[Symbol.dispose]();
    this.agentNode[Symbol.dispose]();
  }
}

const CLASSES = "memoryQos: {classes: [{name: bronze, swaplimitratio: 0.5, max: max}]}";

describe.concurrent("an agent that is the runtime's plugin", () => {
  test("gives a container its exact limit at its creation", async () => {
    await using nri = await NriAgentNode.start();
    const { agentNode } = nri;
    const pod = podOf(1, { containers: [{ name: "app", requestBytes: REQUEST_BYTES + 12_345 }] });
    agentNode.addPod(pod);
    await using agent = new RunningAgent(nri.flags);
    const side = await nri.serve();
    expect(await created(side, reportedOf(pod, 1))).toEqual({
      "memory.swap.max": exactShareOf(REQUEST_BYTES + 12_345),
    });
    expect(await agent.event("container-limits-set")).toMatchObject({
      ...{ pod: "pod-1", container: "app", id: ID, swap: "limited-swap" },
    });
    expect(await agent.metric('wasp_nri_containers_total{outcome="set"}')).toBe(1);
    expect(await agent.metric("wasp_nri_connected")).toBe(1);
  });

  test("gives a container of an unknown pod the hook's limit", async () => {
    await using nri = await NriAgentNode.start();
    await using agent = new RunningAgent(nri.flags);
    const side = await nri.serve();
    const unified = await created(side, reportedOf(podOf(1), 1));
    const limitBytes = Number(unified["memory.swap.max"]);
    expect(limitBytes).toBeGreaterThan(0);
    expect(limitBytes).toBeLessThan(Number(exactShareOf(REQUEST_BYTES)));
    await agent.event("container-limits-set");
  });

  test("does not mistake its own limit for the kubelet's", async () => {
    await using nri = await NriAgentNode.start();
    const { agentNode } = nri;
    agentNode.kubelet.answers.set("/configz", answer("403 Forbidden", "Forbidden"));
    const pod = podOf(1, { containers: [{ name: "app", requestBytes: REQUEST_BYTES }] });
    agentNode.addPod(pod);
    await using agent = new RunningAgent([...nri.flags, "--verbosity=4"]);
    const side = await nri.serve();
    await created(side, reportedOf(pod, 1));
    agentNode.pods.delete(pod.uid);
    agentNode.addPod(podOf(1), shareOf(REQUEST_BYTES));
    await agent.event("swap-limit-kept", ({ id }) => id === ID);
    // A container that the plugin did not see still shows that the kubelet limits swap.
    agentNode.addPod(podOf(2), shareOf(REQUEST_BYTES));
    await agent.event("stood-down");
    expect(agent.events("stood-down")).toHaveLength(1);
  });

  test("combines memory QoS and its own limits, also as classes change", async () => {
    await using nri = await NriAgentNode.start();
    const { agentNode } = nri;
    const pod = podOf(1, {
      annotations: BRONZE,
      containers: [{ name: "app", id: ID, requestBytes: REQUEST_BYTES, limitBytes: LIMIT_BYTES }],
    });
    const config = nri.setConfig(CLASSES);
    await using agent = new RunningAgent([...nri.flags, `--config=${config}`, "--sweep-seconds=1"]);
    const side = await nri.serve();
    agentNode.pods.set(pod.uid, { ...pod, containers: [] });
    const given = { "memory.high": String(LIMIT_BYTES / 2), "memory.swap.max": "max" };
    expect(await created(side, reportedOf(pod, 1))).toEqual(given);
    agentNode.addPod(pod, "max");
    await agent.passes(3);
    expect(agentNode.swapMax(pod, ID)).toBe("max");
    expect(agent.events("swap-limit-set")).toEqual([]);

    nri.setConfig("memoryQos: {classes: [{name: bronze, swaplimitratio: 0.25, max: max}]}");
    await agent.until(() => nri.updates.length === 1);
    expect(nri.updates[0]).toEqual([ID, { "memory.high": String((LIMIT_BYTES * 3) / 4) }]);
    // An administrator's mistake takes no limits from running containers.
    nri.setConfig("memoryQos: {classes: [{name: brownze}]}");
    await agent.event("annotation-ignored");
    await agent.passes(2);
    expect(agentNode.swapMax(pod, ID)).toBe("max");
    expect(nri.updates).toHaveLength(1);
    nri.setConfig("memoryQos: {classes: [{name: bronze, swaplimitratio: 0}]}");
    await agent.until(() => nri.updates.length === 2);
    const share = exactShareOf(REQUEST_BYTES);
    expect(nri.updates[1]).toEqual([ID, { "memory.high": "max", "memory.swap.max": share }]);
    await agent.until(() => agentNode.swapMax(pod, ID) === shareOf(REQUEST_BYTES));
  });

  test("refuses a container for an invalid annotation of its pod, or ignores the annotation", async () => {
    await using nri = await NriAgentNode.start();
    const pod = podOf(1, { annotations: { "class.memory-qos.nri.io": "gold" }, containers: [] });
    nri.agentNode.addPod(pod);
    const config = nri.setConfig(CLASSES);
    await using agent = new RunningAgent([...nri.flags, `--config=${config}`]);
    const side = await nri.serve();
    await expect(created(side, reportedOf(pod, 1))).rejects.toThrow(
      'container app of pod shop/pod-1: class.memory-qos.nri.io: "gold" is not a class of this node (classes: bronze)',
    );
    nri.setConfig(`${CLASSES}\nmemoryQosOnError: Ignore`);
    await agent.event("config-reloaded");
    await created(side, reportedOf(pod, 1));
    await agent.event("annotation-ignored");
  });

  test("puts current entitlements into each change by the runtime", async () => {
    await using nri = await NriAgentNode.start();
    const { agentNode } = nri;
    const pod = podOf(1);
    agentNode.addPod(pod);
    await using agent = new RunningAgent(nri.flags);
    const side = await nri.serve({
      pods: [reportedOf(pod, 1).pod],
      containers: [reportedOf(pod, 1).container],
    });
    await agent.event("nri-synchronized");
    const before = exactShareOf(REQUEST_BYTES);
    expect(await resized(side, reportedOf(pod, 1), LIMIT_BYTES / 2)).toEqual({ "memory.swap.max": before });
    agentNode.changeContainers(pod, (container) => ({ ...container, requestBytes: 2 * REQUEST_BYTES }));
    await agent.until(() => nri.updates.length > 0);
    expect(nri.updates).toEqual([[ID, { "memory.swap.max": exactShareOf(2 * REQUEST_BYTES) }]]);
  });

  test("keeps the limits of running containers of unknown pods", async () => {
    await using nri = await NriAgentNode.start();
    await using agent = new RunningAgent(nri.flags);
    const stranger = reportedOf(podOf(1), 1);
    const side = await nri.runtime.connection();
    const { update } = await side.begin({ pods: [stranger.pod], containers: [stranger.container] });
    expect(update).toEqual([]);
    expect(await resized(side, stranger, LIMIT_BYTES / 2)).toEqual({});
    await agent.event("nri-synchronized");
  });

  test("sets no swap limit while the kubelet does, and nothing at all in a dry run", async () => {
    await using nri = await NriAgentNode.start();
    const pod = podOf(1, { annotations: BRONZE, containers: [{ name: "app", requestBytes: REQUEST_BYTES }] });
    const plain = podOf(2, { containers: [{ name: "app", requestBytes: REQUEST_BYTES }] });
    for (const one of [pod, plain]) nri.agentNode.addPod(one);
    nri.agentNode.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
    const config = nri.setConfig(CLASSES);
    await using agent = new RunningAgent([...nri.flags, `--config=${config}`]);
    // Until the kubelet has shown its configuration, nothing says that it limits swap itself.
    await agent.event("stood-down");
    const side = await nri.serve();
    expect(await created(side, reportedOf(plain, 2))).toEqual({});
    expect(Object.keys(await created(side, reportedOf(pod, 1)))).toContain("memory.high");
    nri.setConfig(`${CLASSES}\ndryRun: true`);
    await agent.event("config-reloaded");
    expect(await created(side, reportedOf(pod, 1))).toEqual({});
  });

  test("is the only wasp that registers with the runtime", async () => {
    await using nri = await NriAgentNode.start();
    await using agent = new RunningAgent(nri.flags);
    await nri.serve();
    const { root } = nri.agentNode.node;
    const flags = ["nri", "--log-format=Json", `--fsroot=${root}`, `--socket=${nri.runtime.path}`];
    await using other = new RunningWasp(flags);
    await other.event("nri-waiting");
    expect(nri.runtime.connections).toBe(1);
    expect(await agent.stop()).toBe(0);
    const side = await nri.serve();
    expect((await side.registered).pluginName).toBe("memory-qos");
    expect(await other.stop()).toBe(0);
  });

  test("answers within the runtime's time-out while it lists the pods of a large node", async () => {
    await using nri = await NriAgentNode.start();
    for (let number = 1; number <= 500; number++) nri.agentNode.addPod(podOf(number));
    await using agent = new RunningAgent(nri.flags);
    const side = await nri.serve();
    const lists = async () =>
      (await agent.metric('wasp_pod_list_requests_total{source="kubelet",outcome="success"}')) ?? 0;
    const before = await lists();
    let longestSeconds = 0;
    while ((await lists()) < before + 2) {
      const started = performance.now();
      await created(side, reportedOf(podOf(1), 1));
      longestSeconds = Math.max(longestSeconds, (performance.now() - started) / 1000);
    }
    // The time-out after which containerd and CRI-O go on without a plugin.
    expect(longestSeconds).toBeLessThan(patience(2) / 1000);
  });

  test("waits for the node's pods", async () => {
    await using nri = await NriAgentNode.start();
    nri.agentNode.kubelet.goDown();
    await using agent = new RunningAgent(nri.flags);
    await agent.event("pods-unknown");
    expect(nri.runtime.connections).toBe(0);
    await nri.agentNode.kubelet.comeUp();
    await nri.serve();
    await agent.event("nri-synchronized");
  });
});
