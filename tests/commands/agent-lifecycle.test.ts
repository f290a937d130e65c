import { describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);

describe.concurrent("an agent", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("ends at %s, and keeps the limits", async (signal) => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, "--node-swap-limit=64Mi"]);
    await agent.event("agent-ready");
    expect(await agent.stop(signal)).toBe(0);
    expect(agent.log.at(-1)?.event).toBe("agent-stopping");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    expect(node.swapMaxAt(node.kubepods)).toBe(String(64 * 2 ** 20));
  });

  test("ends while the kubelet does not answer", async () => {
    using node = await AgentNode.start();
    node.kubelet.answer = () => {};
    await using agent = new RunningAgent(node.flags);
    while (node.kubelet.requests.length < 2) await Bun.sleep(20);
    expect(await agent.stop()).toBe(0);
  });

  test("is the only one on its node until it ends, in any way", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using first = new RunningAgent(node.flags);
    await first.event("agent-ready");
    await using second = new RunningAgent(node.flags);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toContain("another wasp agent runs on this node");
    await first.stop("SIGKILL");
    node.writeSwapMax(pod, ID, "0");
    await using third = new RunningAgent(node.flags);
    await third.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
  });

  test("that is killed while it writes never leaves a limit above the entitlement", async () => {
    using node = await AgentNode.start();
    const numbers = Array.from({ length: 300 }, (_, index) => index + 1);
    for (const number of numbers) node.addPod(podOf(number));
    const limitOf = (number: number) => node.swapMax(podOf(number), containerIdOf(number));
    // A file that is being written is empty for a moment, as no real cgroup's is.
    const isHarmless = (number: number) => ["0", "", SHARE].includes(limitOf(number));
    for (let killedMidway = 0; killedMidway < 3; ) {
      for (const number of numbers) node.writeSwapMax(podOf(number), containerIdOf(number), "0");
      await using agent = new RunningAgent(node.flags);
      // Either end: the order in which the agent finds the cgroups is the file system's.
      while (limitOf(1) === "0" && limitOf(numbers.length) === "0") await Bun.sleep(0);
      await agent.stop("SIGKILL");
      expect(numbers.filter((number) => !isHarmless(number))).toEqual([]);
      if (numbers.some((number) => limitOf(number) === "0")) killedMidway += 1;
      for (const number of numbers.filter((each) => limitOf(each) === ""))
        node.writeSwapMax(podOf(number), containerIdOf(number), "0");
    }
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(numbers.filter((number) => limitOf(number) !== SHARE)).toEqual([]);
  });
});
