import { describe, expect, test } from "bun:test";
import { AgentNode, type Naming, shareOf } from "../node/agent-node.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { type PodSpec, podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);

describe.concurrent("containers are found", () => {
  test.each<[string, Partial<Naming>]>([
    ["under systemd and CRI-O", {}],
    ["under systemd and containerd", { runtime: "cri-containerd" }],
    ["under cgroupfs and CRI-O", { driver: "cgroupfs" }],
    ["under cgroupfs and containerd", { driver: "cgroupfs", runtime: "cri-containerd" }],
    ["below a --cgroup-root, under systemd", { cgroupRoot: ["nodes", "a"] }],
    ["below a --cgroup-root, under cgroupfs", { driver: "cgroupfs", cgroupRoot: ["nodes", "a"] }],
  ])("%s", async (_, naming) => {
    const late = podOf(2);
    using node = await AgentNode.start(naming);
    node.addPod(podOf(1));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMax(podOf(1), ID)).toBe(SHARE);
    node.addPod(late);
    await agent.until(() => node.swapMax(late, containerIdOf(2)) === SHARE);
    node.writeSwapMax(late, containerIdOf(2), "max");
    await agent.until(() => node.swapMax(late, containerIdOf(2)) === SHARE);
  });
});

describe.concurrent("a container of crun", () => {
  const pod = podOf(1);
  const childOf = (node: AgentNode, of: PodSpec) => `${node.containerPath(of, ID)}/container`;

  test("has its limit at both cgroup levels", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.makeCgroup(childOf(node, pod), "0");
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(node.swapMaxAt(childOf(node, pod))).toBe(SHARE);
    // Each of them can lift the limit.
    node.writeSwapMaxAt(childOf(node, pod), "0");
    await agent.until(() => node.swapMaxAt(childOf(node, pod)) === SHARE);
    node.writeSwapMax(pod, ID, "0");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });

  test("has its limit at a lower level of any name, by its process, also after a resize", async () => {
    using node = await AgentNode.start();
    const child = (of: PodSpec, id: string) => `${node.containerPath(of, id)}/my.group`;
    const start = (of: PodSpec, id: string) => {
      node.makeCgroup(child(of, id), "0");
      node.node.write(`/sys/fs/cgroup${node.containerPath(of, id)}/cgroup.procs`, "");
      node.node.write(`/sys/fs/cgroup${child(of, id)}/cgroup.events`, "populated 1\nfrozen 0\n");
    };
    node.addPod(pod);
    start(pod, ID);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(node.swapMaxAt(child(pod, ID))).toBe(SHARE);
    node.writeSwapMaxAt(child(pod, ID), "0");
    await agent.until(() => node.swapMaxAt(child(pod, ID)) === SHARE);
    const late = podOf(2);
    node.addPod(late);
    start(late, containerIdOf(2));
    await agent.until(() => node.swapMaxAt(child(late, containerIdOf(2))) === SHARE);
    expect(node.swapMax(late, containerIdOf(2))).toBe(SHARE);
  });

  test("gets its limit at a lower level that appears later", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.makeCgroup(childOf(node, pod), "0");
    await agent.until(() => node.swapMaxAt(childOf(node, pod)) === SHARE);
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });
});

describe.concurrent("kubepods", () => {
  const pod = podOf(1);

  test("may appear after the agent's start", async () => {
    using node = await AgentNode.start();
    node.removeCgroup(node.kubepods);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    node.makeCgroup(node.kubepods);
    node.addPod(pod);
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });

  test("may be recreated", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    node.removeCgroup(node.kubepods);
    node.makeCgroup(node.kubepods);
    node.makeContainer(pod, ID);
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    // A container that was just found may be found again, and its limit be set again.
    await agent.passes(1);
    const restored = agent.events("swap-limit-restored").length;
    node.writeSwapMax(pod, ID, "max");
    await agent.until(() => agent.events("swap-limit-restored").length > restored);
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });
});
