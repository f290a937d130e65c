import { describe, expect, test } from "bun:test";
import type { AgentNode } from "../node/agent-node.ts";
import { answer, recordedConfig } from "../node/fake-kubelet.ts";
import { containerIdOf } from "../node/kubepods-tree.ts";
import { podOf } from "../node/pods.ts";
import { PressedNode } from "../node/pressed-node.ts";
import { HELD, highOf, PRESSED, QUIET, quietNode, setStat, setUse } from "../node/reach-node.ts";
import { patience } from "../patience.ts";

const MI = 2 ** 20;
/** Limit that wasp itself would not grant: the kubelet's. */
const OF_KUBELET = "12288";
const pod = podOf(1, { namespace: "test" });
const ID = containerIdOf(1);

function limitSwapItself({ kubelet }: AgentNode): void {
  kubelet.answers.set("/configz", answer("200 OK", recordedConfig("LimitedSwap")));
}

/** A quiet node with a pod that has the kubelet's own limit. */
async function limitedNode(): Promise<PressedNode> {
  const pressed = await quietNode();
  limitSwapItself(pressed.node);
  pressed.node.writeSwapMax(pod, ID, OF_KUBELET);
  return pressed;
}

describe.concurrent("beside the kubelet's own LimitedSwap", () => {
  test("limits stay the kubelet's, and memory.high is held until the agent ends", async () => {
    using pressed = await limitedNode();
    await using agent = pressed.agent();
    expect(await agent.event("stood-down")).toMatchObject({
      reason: "kubelet-configz",
      evictionMode: "Enforce",
      swapReach: "Auto",
    });
    await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
    expect(await agent.metric('wasp_swap_reach_info{reason="held"}')).toBe(1);
    expect(await agent.stop()).toBe(0);
    expect(highOf(pressed)).toBe("max");
    expect(pressed.node.swapMax(pod, ID)).toBe(OF_KUBELET);
    expect(agent.events("swap-limit-set")).toEqual([]);
  });

  test("pressure is sensed and shown, and the hog is evicted", async () => {
    using pressed = await PressedNode.start({ cooldownSeconds: 60 });
    limitSwapItself(pressed.node);
    const hog = pressed.addPod(1, 600);
    const neighbour = pressed.addPod(2, 50);
    for (const [{ uid }, id] of [[hog, ID] as const, [neighbour, containerIdOf(2)] as const])
      pressed.node.writeSwapMax({ uid }, id, OF_KUBELET);
    await using agent = pressed.agent();
    await agent.event("stood-down");
    await agent.event("pod-evicted", (entry) => entry["pod"] === hog.name && entry["answer"] === "accepted");
    await agent.until(() => pressed.condition?.status === "True", "the node's condition");
    expect(await agent.metric('wasp_signal_ratio{signal="swapUtilization"}')).toBe(0.5);
    expect(pressed.asked).toEqual([hog.name]);
    expect(pressed.node.swapMax(neighbour, containerIdOf(2))).toBe(OF_KUBELET);
  });

  test(
    "memory.high is released for a volume in memory that fills and cannot be swapped, and held after it",
    async () => {
      using pressed = await limitedNode();
      await using agent = pressed.agent();
      await agent.until(() => highOf(pressed) === String(HELD), "memory.high below the kubelet's threshold");
      // The kernel counts the pages of a tmpfs with noswap as shared memory and as unevictable.
      setStat(pressed, pod, { anon: 0, shmem: 2000 * MI, unevictable: 2000 * MI });
      setUse(pressed, PRESSED);
      expect(await agent.event("swap-reach-released")).toMatchObject({
        reason: "nothing-to-swap",
        swapFreeBytes: 1_048_572 * 1024,
        swappableBytes: 0,
      });
      await agent.until(() => highOf(pressed) === "max", "memory.high let go");
      // Later another pod fills the memory. It may be faster than the steps of memory.high, which is held before.
      setUse(pressed, QUIET);
      await agent.until(() => highOf(pressed) === String(HELD), "memory.high held while usage is low");
    },
    patience(120),
  );
});
