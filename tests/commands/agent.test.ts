import { describe, expect, test } from "bun:test";
import { AgentNode } from "../node/agent-node.ts";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { RECORDED_NODE } from "../node/fake-node.ts";
import { kubeletSwapLimit } from "../node/kubelet.ts";
import { containerIdOf, podUidOf } from "../node/kubepods-tree.ts";
import type { PodSpec } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const MI = 2 ** 20;
const PAGE = 4096;

/** What the kubelet's own formula gives on the recorded node, in whole pages. */
function shareOf(requestBytes: number): string {
  const { memoryKibibytes, swapKibibytes } = RECORDED_NODE;
  const bytes = kubeletSwapLimit(requestBytes, memoryKibibytes * 1024, swapKibibytes * 1024);
  return String(bytes - (bytes % PAGE));
}

const web: PodSpec = {
  uid: podUidOf(1),
  name: "web",
  containers: [
    { name: "app", id: containerIdOf(1), requestBytes: 64 * MI, limitBytes: 512 * MI },
    { name: "proxy", id: containerIdOf(2), requestBytes: 32 * MI },
  ],
};

describe("limits", () => {
  test("are exact for containers that were there before", async () => {
    using node = await AgentNode.start();
    node.addPod(web);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(node.swapMax(web, containerIdOf(1))).toBe(shareOf(64 * MI));
    expect(node.swapMax(web, containerIdOf(2))).toBe(shareOf(32 * MI));
    expect(await agent.stop()).toBe(0);
  });

  test("are exact for a container that comes, as soon as its pod's status tells of it", async () => {
    using node = await AgentNode.start();
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.addPod(web);
    await agent.until(() => node.swapMax(web, containerIdOf(2)) === shareOf(32 * MI));
    await agent.until(() => node.swapMax(web, containerIdOf(1)) === shareOf(64 * MI));
  });

  test("are put back when somebody else writes them", async () => {
    using node = await AgentNode.start();
    node.addPod(web);
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    node.writeSwapMax(web, containerIdOf(1), "0");
    await agent.until(() => node.swapMax(web, containerIdOf(1)) === shareOf(64 * MI));
    const { pod, container, beforeBytes } = await agent.event("swap-limit-restored");
    expect({ pod, container, beforeBytes }).toEqual({ pod: "web", container: "app", beforeBytes: 0 });
  });
});

describe("a kubelet that limits swap itself", () => {
  test("has its way as long as it does", async () => {
    using node = await AgentNode.start();
    node.addPod(web);
    node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
    expect(await agent.event("stood-down")).toMatchObject({ reason: "kubelet-configz" });
    expect(node.swapMax(web, containerIdOf(1))).toBe("0");
    expect(await (await agent.get("/metrics")).text()).toContain("wasp_stood_down 1");
  });
});
