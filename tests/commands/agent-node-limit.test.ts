import { describe, expect, test } from "bun:test";
import { AgentNode } from "../node/agent-node.ts";
import { ConfigMap } from "../node/config-map.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const MI = 2 ** 20;
const pod = podOf(1);
const ID = containerIdOf(1);

describe.concurrent("the limit for all pods together", () => {
  test.each(["LimitedSwap", "UnlimitedSwap"])("caps each container under %s", async (behavior) => {
    using node = await AgentNode.start();
    node.addPod(pod);
    const flags = ["--node-swap-limit=8Mi", `--swap-behavior=${behavior}`];
    await using agent = new RunningAgent([...node.flags, ...flags]);
    await agent.event("agent-ready");
    expect(node.swapMaxAt(node.kubepods)).toBe(String(8 * MI));
    expect(node.swapMax(pod, ID)).toBe(String(8 * MI));
    expect(agent.events("swap-limit-unmet")).toEqual([]);
  });

  test("is restored when another process writes it", async () => {
    using node = await AgentNode.start();
    await using agent = new RunningAgent([...node.flags, "--node-swap-limit=8Mi"]);
    await agent.event("agent-ready");
    node.writeSwapMaxAt(node.kubepods, "max");
    await agent.until(() => node.swapMaxAt(node.kubepods) === String(8 * MI));
    expect(await agent.event("node-swap-limit-restored")).toMatchObject({ beforeBytes: "max" });
  });

  test("is removed when it is unset, and left alone from then on", async () => {
    using config = new ConfigMap({ nodeSwapLimit: "8Mi" });
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, `--config=${config.path}`]);
    await agent.event("agent-ready");
    config.publish({ nodeSwapLimit: "16Mi" });
    await agent.until(() => node.swapMaxAt(node.kubepods) === String(16 * MI));
    config.publish({});
    await agent.until(() => node.swapMaxAt(node.kubepods) === "max");
    node.writeSwapMaxAt(node.kubepods, "4096");
    await agent.event("swap-limit-unmet");
    expect(node.swapMaxAt(node.kubepods)).toBe("4096");
  });

  test("is not written unless it is set", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.writeSwapMaxAt(node.kubepods, "1073741824");
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMaxAt(node.kubepods)).toBe("1073741824");
  });
});
