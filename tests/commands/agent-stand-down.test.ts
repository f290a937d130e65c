import { describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { ConfigMap } from "../node/config-map.ts";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { RunningAgent } from "../node/running-agent.ts";

const pod = podOf(1);
const ID = containerIdOf(1);
const SHARE = shareOf(REQUEST_BYTES);

/** Restarts the kubelet with another configuration, which the agent then reads. */
async function restartKubelet({ kubelet }: AgentNode, agent: RunningAgent, behavior: string): Promise<void> {
  const outages = agent.events("pods-unknown").length;
  kubelet.goDown();
  kubelet.answers.set("/configz", answer("200 OK", recordedConfig(behavior)));
  await agent.until(() => agent.events("pods-unknown").length > outages);
  await kubelet.comeUp();
  await agent.until(() => agent.events("pods-known").length > outages);
}

describe.concurrent("a kubelet that limits swap itself", () => {
  test("is left to do so", async () => {
    using node = await AgentNode.start();
    node.addPod(pod, "12288");
    node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
    await using agent = new RunningAgent([...node.flags, "--node-swap-limit=8Mi", "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    expect(await agent.event("stood-down")).toMatchObject({
      ...{ reason: "kubelet-configz", level: "info" },
      ...{ evictionMode: "Off", swapReach: "Auto" },
    });
    await agent.passes(2);
    expect(node.swapMax(pod, ID)).toBe("12288");
    expect(node.swapMaxAt(node.kubepods)).toBe("max");
    expect(await agent.metric("wasp_stood_down")).toBe(1);
    // Its containers are still observed.
    const labels = 'namespace="default",pod="pod-1",container="app"';
    expect(await agent.metric(`wasp_container_swap_limit_bytes{${labels}}`)).toBe(12288);
    expect(await agent.metric('wasp_containers{state="left"}')).toBe(1);
    expect(await agent.metric(`wasp_container_swap_entitlement_bytes{${labels}}`)).toBeUndefined();
    expect(agent.events("swap-limit-planned")).toEqual([]);
    expect(agent.events("stood-down")).toHaveLength(1);
  });

  test("may begin and cease to do so with a restart", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1"]);
    await agent.event("agent-ready");
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    await restartKubelet(node, agent, "LimitedSwap");
    await agent.event("stood-down");
    node.writeSwapMax(pod, ID, "12288");
    await restartKubelet(node, agent, "NoSwap");
    await agent.event("resumed");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
    // Until then the limit was the kubelet's.
    expect(agent.events("swap-limit-restored").length + agent.events("swap-limit-set").length).toBe(2);
  });

  test("may be one that only the configuration names, because it does not report its configuration", async () => {
    using node = await AgentNode.start();
    using config = new ConfigMap({ swapLimits: "Kubelet" });
    node.addPod(pod, "12288");
    node.kubelet.answers.set("/configz", answer("403 Forbidden", "Forbidden"));
    await using agent = new RunningAgent([...node.flags, `--config=${config.path}`, "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    expect(await agent.event("stood-down")).toMatchObject({ reason: "configured" });
    await agent.passes(2);
    expect(node.swapMax(pod, ID)).toBe("12288");
    config.publish({ swapLimits: "Auto" });
    await agent.event("resumed");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });

  test("is recognized by its containers if it does not report its configuration", async () => {
    using node = await AgentNode.start();
    node.addPod(pod);
    node.kubelet.answers.set("/configz", answer("403 Forbidden", "Forbidden"));
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    expect(await agent.event("kubelet-config-unknown")).toMatchObject({
      error: expect.stringContaining("nodes/"),
    });
    expect(node.swapMax(pod, ID)).toBe(SHARE);
    const late = podOf(2);
    node.addPod(late, SHARE);
    expect(await agent.event("stood-down")).toMatchObject({ reason: "kubelet-container" });
    node.writeSwapMax(pod, ID, "12288");
    await agent.passes(1);
    expect(node.swapMax(late, containerIdOf(2))).toBe(SHARE);
    expect(node.swapMax(pod, ID)).toBe("12288");

    await restartKubelet(node, agent, "NoSwap");
    await agent.event("resumed");
    await agent.event("kubelet-config-known");
    await agent.until(() => node.swapMax(pod, ID) === SHARE);
  });
});
