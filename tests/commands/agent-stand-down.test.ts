import { describe, expect, test } from "bun:test";
import { AgentNode, shareOf } from "../node/agent-node.ts";
import { wasp } from "../node/binary.ts";
import { ConfigMap } from "../node/config-map.ts";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf, REQUEST_BYTES } from "../node/pods.ts";
import { recordedContainer } from "../node/recorded.ts";
import { RunningAgent } from "../node/running-agent.ts";
import { patience } from "../patience.ts";

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

/** Flags of an agent that by itself asks the kubelet nothing for a minute. */
const SLOW = ["--pod-poll-seconds=60", "--sweep-seconds=1"];
const SECONDS = 1000;

describe.concurrent("a kubelet that begins to limit swap itself", () => {
  test(
    "with a restart that no poll sees is left to do so within seconds",
    async () => {
      using node = await AgentNode.start();
      node.addPod(pod);
      await using agent = new RunningAgent([...node.flags, ...SLOW]);
      await agent.event("agent-ready");
      expect(node.swapMax(pod, ID)).toBe(SHARE);
      node.kubelet.goDown();
      node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
      await node.kubelet.comeUp();
      const up = performance.now();
      await agent.event("stood-down");
      expect(performance.now() - up).toBeLessThan(10 * SECONDS);
      node.writeSwapMax(pod, ID, "12288");
      await agent.passes(1);
      expect(node.swapMax(pod, ID)).toBe("12288");
      expect(agent.events("pods-unknown")).toEqual([]);
      // And back.
      node.kubelet.goDown();
      node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("NoSwap")));
      await node.kubelet.comeUp();
      await agent.event("resumed");
      await agent.until(() => node.swapMax(pod, ID) === SHARE);
    },
    patience(60),
  );

  test(
    "is asked when a container has its limit, which stays meanwhile",
    async () => {
      using node = await AgentNode.start();
      node.addPod(pod);
      await using agent = new RunningAgent([...node.flags, ...SLOW]);
      await agent.event("agent-ready");
      // No connection ends: only the container shows it.
      node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
      const late = podOf(2);
      node.addPod(late, SHARE);
      expect(await agent.event("stood-down")).toMatchObject({ reason: "kubelet-configz" });
      expect(node.swapMax(late, containerIdOf(2))).toBe(SHARE);
      expect(agent.events("swap-limit-restored")).toEqual([]);
    },
    patience(60),
  );
});

describe.concurrent("what the kubelet would not have given", () => {
  const critical = podOf(2, { priority: 2_000_000_000 });
  const guaranteed = podOf(3, { qosClass: "Guaranteed" });
  const unlimited = podOf(4);
  const larger = podOf(5);
  const empty = podOf(6, { containers: [{ name: "app", id: containerIdOf(6) }] });

  function addThem(node: AgentNode): void {
    node.addPod(critical, SHARE);
    node.addPod(guaranteed, SHARE);
    node.addPod(unlimited, "max");
    node.addPod(larger, String(2 * Number(SHARE)));
    node.addPod(empty, SHARE);
  }

  const limits = (node: AgentNode) =>
    [critical, guaranteed, unlimited, larger, empty].map((one, index) =>
      node.swapMax(one, containerIdOf(index + 2)),
    );

  test("is taken back once beside LimitedSwap, where it is certain", async () => {
    using node = await AgentNode.start();
    node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
    addThem(node);
    await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1"]);
    await agent.event("stood-down");
    await agent.passes(1);
    // The kubelet may have seen more swap at its start.
    expect(limits(node)).toEqual(["0", "0", SHARE, String(2 * Number(SHARE)), "0"]);
    const reasons = agent.events("swap-limit-set").map(({ pod, reason }) => `${pod} ${reason}`);
    expect(reasons.sort()).toEqual([
      "pod-2 critical",
      "pod-3 guaranteed",
      "pod-4 limited-swap",
      "pod-6 no-memory-request",
    ]);
    node.writeSwapMax(critical, containerIdOf(2), SHARE);
    await agent.passes(2);
    expect(node.swapMax(critical, containerIdOf(2))).toBe(SHARE);
  });

  test("is planned in a dry run, and left where the configuration alone names the kubelet", async () => {
    for (const [behavior, flags, planned] of [
      ["LimitedSwap", ["--dry-run"], 4],
      ["NoSwap", ["--swap-limits=Kubelet"], 0],
    ] as const) {
      using node = await AgentNode.start();
      node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig(behavior)));
      addThem(node);
      const before = limits(node);
      await using agent = new RunningAgent([...node.flags, "--sweep-seconds=1", ...flags]);
      await agent.event("stood-down");
      await agent.passes(2);
      expect(limits(node)).toEqual(before);
      expect(agent.events("swap-limit-planned")).toHaveLength(planned);
    }
  });
});

describe.concurrent("the hook", () => {
  const container = recordedContainer("burstable-runc");

  async function hookLimit(node: AgentNode): Promise<string> {
    const path = `/sys/fs/cgroup${container.cgroup}/memory.swap.max`;
    node.node.write(path, "0\n");
    const log = `--log-file=${node.node.log}`;
    const { exitCode } = await wasp(["hook", `--fsroot=${node.node.root}`, log], new Blob([container.state]));
    expect(exitCode).toBe(0);
    return node.node.read(path);
  }

  test("grants nothing while the agent has stood down, and its share again after that", async () => {
    using node = await AgentNode.start();
    await using agent = new RunningAgent([...node.flags, "--pod-poll-seconds=1", "--sweep-seconds=1"]);
    await agent.event("agent-ready");
    node.node.add(container);
    expect(Number(await hookLimit(node))).toBeGreaterThan(0);
    await restartKubelet(node, agent, "LimitedSwap");
    await agent.event("stood-down");
    await agent.passes(1);
    expect(await hookLimit(node)).toBe("0");
    expect(node.node.logged.at(-1)).toContain("reason=kubelet-limited-swap");
    // Without the agent too, for an hour.
    expect(await agent.stop()).toBe(0);
    expect(await hookLimit(node)).toBe("0");
    await restartedWithout(node);
    expect(Number(await hookLimit(node))).toBeGreaterThan(0);
  });

  /** Runs an agent again, beside a kubelet in NoSwap. */
  async function restartedWithout(node: AgentNode): Promise<void> {
    node.kubelet.answers.set("/configz", answer("200 OK", recordedConfig("NoSwap")));
    await using agent = new RunningAgent(node.flags);
    await agent.event("agent-ready");
  }
});

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
