import { describe, expect, test } from "bun:test";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);

describe.concurrent("a limit that cannot be written", () => {
  test("is logged once, tried again, and set when it can be", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.addPod(podOf(2));
    // A symbolic link is followed for reading, but never for writing.
    const file = `${node.node.root}/sys/fs/cgroup${node.containerPath(pod, ID)}/memory.swap.max`;
    renameSync(file, `${file}.real`);
    symlinkSync("memory.swap.max.real", file);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    await agent.passes(2);
    expect(agent.events("swap-limit-failed")).toEqual([
      expect.objectContaining({
        level: "warning",
        pod: "pod-1",
        container: "app",
        error: expect.stringContaining("memory.swap.max"),
      }),
    ]);
    expect(node.swapMax(podOf(2), containerIdOf(2))).toBe(SHARE);
    expect(await agent.metric('wasp_containers{state="failed"}')).toBe(1);
    expect(await agent.metric('wasp_errors_total{kind="swap-limit-failed"}')).toBe(1);
    rmSync(file);
    renameSync(`${file}.real`, file);
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    expect(await agent.metric('wasp_containers{state="failed"}')).toBe(0);
  });

  test("because the kernel does not count swap is logged once for each container", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.addPod(podOf(2));
    for (const file of Object.keys(node.node.cgroupFiles())) rmSync(`${node.node.root}/sys/fs/cgroup${file}`);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    for (const number of [1, 2])
      await agent.event("swap-limit-failed", ({ id }) => id === containerIdOf(number));
    await agent.passes(2);
    expect(agent.events("swap-limit-failed")).toHaveLength(2);
    expect((await agent.get("/healthz")).status).toBe(200);
  });

  test("for all pods together is logged once, and affects no container's", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    const file = `${node.node.root}/sys/fs/cgroup${node.kubepods}/memory.swap.max`;
    renameSync(file, `${file}.real`);
    symlinkSync("memory.swap.max.real", file);
    await using agent = new RunningAgent([...node.flags, "--node-swap-limit=64Mi", "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    await agent.passes(2);
    expect(agent.events("node-swap-limit-failed")).toHaveLength(1);
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });
});

describe.concurrent("a node", () => {
  test("whose containers come and go causes no error", async () => {
    using node = await AgentNode.start();
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    // By slot: a runtime gives each container an ID of its own, and an agent may take one that comes back for the first.
    const bySlot = new Map<number, number>();
    for (let turn = 1; turn <= 600; turn++) {
      const slot = (turn * 7919) % 40;
      const number = bySlot.get(slot);
      if (number === undefined) {
        bySlot.set(slot, turn);
        node.addPod(podOf(turn));
      } else {
        bySlot.delete(slot);
        node.removePod(podOf(number));
      }
      if (turn % 10 === 0) await Bun.sleep(0);
    }
    const present = new Set(bySlot.values());
    expect(present.size).toBeGreaterThan(0);
    const isRight = (number: number) => node.swapMax(podOf(number), containerIdOf(number)) === SHARE;
    await agent.until(() => [...present].every(isRight));
    expect(agent.log.filter(({ level }) => level === "warning" || level === "error")).toEqual([]);
    const set = async () => (await agent.metric('wasp_containers{state="set"}')) ?? 0;
    while ((await set()) !== present.size) await Bun.sleep(20);
  });

  test("whose memory cannot be read keeps its limits", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    node.node.write("/proc/meminfo.next", "nothing\n");
    renameSync(`${node.node.root}/proc/meminfo.next`, `${node.node.root}/proc/meminfo`);
    expect(await agent.event("node-unknown")).toMatchObject({ error: expect.stringContaining("MemTotal") });
    node.writeSwapMax(pod, ID, "0");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    await agent.passes(2);
    expect(agent.events("node-unknown")).toHaveLength(1);
    expect(agent.events("node-capacity-changed")).toEqual([]);
  });

  test("without free inotify watches is swept instead", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    // A user namespace has its own limit of watches, so the host's is not touched.
    const script = 'echo 2 > /proc/sys/user/max_inotify_watches && exec "$@"';
    const under = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"];
    await using agent = new RunningAgent(
      [...node.flags, "--sweep-seconds=1"],
      { PATH: "/usr/bin:/bin" },
      under,
    );
    await agent.event("agent-ready");
    expect(await agent.event("watch-failed")).toMatchObject({ level: "warning" });
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    node.writeSwapMax(pod, ID, "0");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    const late = podOf(2);
    node.addPod(late);
    await agent.until(() => node.swapMax(late, containerIdOf(2)) === SHARE);
    // One line for each cgroup without a watch, however often it is tried again.
    await agent.passes(2);
    const paths = agent.events("watch-failed").map(({ error }) => error);
    expect(new Set(paths).size).toBe(paths.length);
  });
});
