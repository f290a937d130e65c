import { describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const SHARE = shareOf(REQUEST_BYTES);
const [ours, other] = [podOf(1), podOf(2)];
const [ID, OTHER] = [containerIdOf(1), containerIdOf(2)];

describe.concurrent("another process that keeps writing a limit", () => {
  test("is corrected a limited number of times, logged once, and then left", async () => {
    using node = await AgentNode.start();
    node.addPod(ours);
    node.addPod(other);
    const flags = ["--max-restores-per-minute=3", "--sweep-seconds=1"];
    await using agent = new RunningAgent([...node.flags, ...flags]);
    await agent.event("agent-ready");
    const writes = async () => await agent.metric("wasp_swap_limit_writes_total");
    expect(await writes()).toBe(2);
    for (let turn = 1; turn <= 3; turn++) {
      node.writeSwapMax(ours, ID, "4096");
      await agent.until(() => agent.events("swap-limit-restored").length === turn);
    }
    for (let turn = 0; turn < 2; turn++) {
      node.writeSwapMax(ours, ID, "8192");
      await agent.event("swap-limit-contested");
      await agent.passes(1);
    }
    expect(node.swapMax(ours, ID)).toBe("8192");
    expect(agent.events("swap-limit-restored")).toHaveLength(3);
    expect(agent.events("swap-limit-contested")).toEqual([
      expect.objectContaining({ level: "warning", pod: "pod-1", container: "app", maxRestoresPerMinute: 3 }),
    ]);
    expect(await writes()).toBe(5);
    expect(await agent.metric("wasp_swap_limit_contests_total")).toBe(1);
    expect(await agent.metric('wasp_containers{state="contested"}')).toBe(1);

    // The limits of other containers are kept as before.
    node.writeSwapMax(other, OTHER, "4096");
    await agent.until(() => node.swapMax(other, OTHER) === SHARE);
  });

  test("without a pause causes no endless loop", async () => {
    using node = await AgentNode.start();
    node.addPod(ours);
    await using agent = new RunningAgent([...node.flags, "--max-restores-per-minute=5"]);
    await agent.event("agent-ready");
    while (agent.events("swap-limit-contested").length === 0) {
      for (let write = 0; write < 20; write++) node.writeSwapMax(ours, ID, String(4096 * (1 + write)));
      await Bun.sleep(0);
    }
    for (let write = 0; write < 2000; write++) node.writeSwapMax(ours, ID, String(4096 * (1 + (write % 9))));
    // The agent answers this only after it has seen all earlier writes.
    expect(await agent.metric("wasp_swap_limit_writes_total")).toBe(6);
    expect(agent.events("swap-limit-restored")).toHaveLength(5);
    expect(agent.log.filter(({ level }) => level === "warning")).toHaveLength(1);
  });
});
