import { describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { answer } from "../node/fake-kubelet.ts";
import { RECORDED_NODE } from "../node/fake-node.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podListJson, podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);

describe.concurrent("a limit", () => {
  test("is set as soon as the pod's status names the container", async () => {
    using node = await AgentNode.start();
    node.addPod({ ...pod, containers: [{ name: "app", requestBytes: REQUEST_BYTES }] });
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.makeContainer(pod, ID);
    while ((await agent.metric('wasp_containers{state="held"}')) !== 1) await Bun.sleep(20);
    expect(node.swapMax(pod, ID)).toBe("0");
    node.changeContainers(pod, (container) => ({ ...container, id: ID }));
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });

  test("of the hook, present or missing, is counted once for each container that started under the agent", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    const starts = async (hook: string) => await agent.metric(`wasp_container_starts_total{hook="${hook}"}`);
    expect(await starts("missing")).toBe(0);
    // 16 thousandths of the swap are the hook's lower bound.
    for (const [number, limit] of [
      [2, "0"],
      [3, "max"],
      [4, "17178624"],
    ] as const) {
      const late = podOf(number);
      node.addPod(late, limit);
      await agent.until(() => node.swapMax(late, containerIdOf(number)) === SHARE);
    }
    await agent.passes(1);
    expect([await starts("missing"), await starts("seen")]).toEqual([2, 1]);
  });

  test("is restored when another process writes it", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.writeSwapMax(pod, ID, "0");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    const restored = await agent.event("swap-limit-restored");
    expect(restored).toMatchObject({
      pod: "pod-1",
      container: "app",
      beforeBytes: 0,
      limitBytes: Number(SHARE),
    });
    expect(await agent.metric("wasp_swap_limit_drifts_total")).toBe(1);
  });

  test("follows a request that is resized in place, at once when the runtime writes", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.changeContainers(pod, (container) => ({ ...container, requestBytes: 2 * REQUEST_BYTES }));
    node.writeSwapMax(pod, ID, "0");
    await agent.until(() => node.swapMax(pod, ID) === shareOf(2 * REQUEST_BYTES));
  });

  test.each<[string, object]>([
    ["deferred, by what is in force", { requests: { memory: String(REQUEST_BYTES) } }],
    ["infeasible, beside its limit", { requests: { memory: "64Mi" }, limits: { memory: "1Gi" } }],
  ])("does not follow a resize that is %s, where allocatedResources is off", async (_, resources) => {
    using node = await AgentNode.start();
    node.addPod(pod);
    const list = JSON.parse(podListJson([pod]));
    const [item] = list.items;
    item.spec.containers[0].resources = { requests: { memory: "2Gi" } };
    item.status.containerStatuses[0].allocatedResources = undefined;
    item.status.containerStatuses[0].resources = resources;
    node.kubelet.answer = answer("200 OK", JSON.stringify(list));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });

  test("follows a container that is recreated in its pod", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    const again = containerIdOf(2);
    node.removeCgroup(node.containerPath(pod, ID));
    node.makeContainer(pod, again);
    node.changeContainers(pod, (container) => ({ ...container, id: again }));
    await agent.until(() => node.swapMax(pod, again) === SHARE);
    expect(agent.events("swap-limit-failed")).toEqual([]);
    expect(await agent.metric('wasp_containers{state="set"}')).toBe(1);
  });

  test("is dropped with its pod", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.addPod(podOf(2));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    const series = (name: string) =>
      `wasp_container_swap_limit_bytes{namespace="default",pod="${name}",container="app"}`;
    expect(await agent.metric(series("pod-1"))).toBe(Number(SHARE));
    node.removePod(pod);
    while ((await agent.metric(series("pod-1"))) !== undefined) await Bun.sleep(20);
    expect(await agent.metric(series("pod-2"))).toBe(Number(SHARE));
    expect(agent.events("swap-limit-failed")).toEqual([]);
  });
});

describe.concurrent("limits follow the node's capacity", () => {
  const { memoryKibibytes, swapKibibytes } = RECORDED_NODE;

  test.each([
    ["swapon", { memoryKibibytes, swapKibibytes: 2 * swapKibibytes }],
    ["swapoff", { memoryKibibytes, swapKibibytes: 0 }],
    ["memory that is added", { memoryKibibytes: 2 * memoryKibibytes, swapKibibytes }],
  ])("%s", async (_, capacity) => {
    const pods = [podOf(1), podOf(2)];
    using node = await AgentNode.start();
    for (const each of pods) node.addPod(each);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.node.setCapacity(capacity);
    const share = shareOf(REQUEST_BYTES, capacity);
    await agent.until(() =>
      pods.every((each, index) => node.swapMax(each, containerIdOf(index + 1)) === share),
    );
    expect(await agent.event("node-capacity-changed")).toMatchObject({
      memoryTotalBytes: capacity.memoryKibibytes * 1024,
      swapTotalBytes: capacity.swapKibibytes * 1024,
      previousMemoryBytes: memoryKibibytes * 1024,
      previousSwapBytes: swapKibibytes * 1024,
    });
    node.node.setCapacity(RECORDED_NODE);
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    // Once for each change. The log may come after the limit is seen.
    await agent.until(() => agent.events("node-capacity-changed").length > 1);
    expect(agent.events("node-capacity-changed")).toHaveLength(2);
  });
});

describe.concurrent("a limit that cannot be what it should be", () => {
  test("because the pod's slice has a lower one is logged once", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.writeSwapMaxAt(node.podPath(pod), "4096");
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    await agent.passes(2);
    expect(agent.events("swap-limit-unmet")).toEqual([
      expect.objectContaining({ level: "warning", limitBytes: Number(SHARE), effectiveBytes: 4096 }),
    ]);
    expect(await agent.metric('wasp_containers{state="unmet"}')).toBe(1);
    // Once the slice allows it, the limit is in force without a further write.
    node.writeSwapMaxAt(node.podPath(pod), "max");
    while ((await agent.metric('wasp_containers{state="unmet"}')) !== 0) await Bun.sleep(20);
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });

  test("because the swap usage is higher is logged once", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.setSwapUsage(pod, ID, 64 * 2 ** 20);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    // Usage changes all the time.
    node.setSwapUsage(pod, ID, 65 * 2 ** 20);
    await agent.passes(2);
    expect(agent.events("swap-limit-below-usage")).toEqual([
      expect.objectContaining({ level: "warning", pod: "pod-1", swapUsageBytes: 64 * 2 ** 20 }),
    ]);
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });
});
