/** Pods that are not evicted on a real node: a hog that never may be, and one beside an administrator's annotation. */
import { expect, test } from "bun:test";
import { CrowdedNode, HARM, NEIGHBOUR_MIB, PATIENCE_SECONDS } from "./crowded-node.ts";
import { stallShare } from "./load.ts";
import { startNode } from "./node.ts";

const guest = await startNode();

const HARMED_SHARE = 0.22;
const WHY =
  "No pod is evicted, because those that would help are never evicted (relieving-kept): kube-system/hog (excluded-namespace). " +
  "Restart, move or limit one of them; excludeNamespaces and evictionOptOut decide who may be evicted. ";

test("nobody is evicted beside a hog in kube-system, and the node says why", async () => {
  await using node = await CrowdedNode.start(guest, {
    hogNamespace: "kube-system",
    hogSwapLimit: "0",
    // It leaves the neighbours about half of what they use. It may not swap: its own memory stays.
    harmSteps: (roomMib) => [`grow:${roomMib - 1.2 * NEIGHBOUR_MIB}:60`],
  });
  const { agent, cluster, neighbours } = node;
  await node.beginHarm();
  await agent.event("eviction-held", ({ reason }) => reason === "relieving-kept", PATIENCE_SECONDS);
  const before = await Promise.all(neighbours.map((neighbour) => neighbour.stall()));
  // By the clock of the guest, which loses time on a busy machine.
  const minute = guest.must("sleep 60");
  const event = await cluster.untilEvent("SwapEvictionHeld", PATIENCE_SECONDS);
  const message = await cluster.untilSwapPressure("True", PATIENCE_SECONDS, "relieving-kept");
  await minute;
  const after = await Promise.all(neighbours.map((neighbour) => neighbour.stall()));
  const shares = before.map((from, index) => stallShare(from, after[index] ?? from));
  const seconds = (after[0]?.atSeconds ?? 0) - (before[0]?.atSeconds ?? 0);
  console.log(
    `in ${seconds.toFixed(0)} s the neighbours stall ${shares.map(percent).join(" and ")}; ${message}`,
  );
  expect(Math.max(...shares)).toBeGreaterThan(HARMED_SHARE);
  expect(seconds).toBeGreaterThanOrEqual(60);
  expect(event).toMatchObject({
    ...{ type: "Warning", involvedObject: { kind: "Node" } },
    message: expect.stringContaining(WHY),
  });
  expect(message).toStartWith(WHY);
  expect(await agent.events("eviction-decided")).toEqual([]);
  expect(cluster.evictions).toEqual([]);
  expect(cluster.gone).toEqual([]);
  expect(await node.hog.isRunning()).toBe(true);
  await node.expectNeighboursRunning();
});

test("the annotation wasp.io/eviction stops an eviction just before its decision, and its removal resumes it", async () => {
  await using node = await CrowdedNode.start(guest, {
    hogSwapLimit: "max",
    harmSteps: (roomMib) => [`grow:${roomMib + 150}:60`, `touch:${roomMib + 150}:1e6:0`],
  });
  const { agent, cluster } = node;
  await node.beginHarm();
  await agent.untilMetric(HARM, (harm) => harm >= 0.3, PATIENCE_SECONDS);
  cluster.annotate("Off");
  await agent.event("eviction-stopped");
  await agent.event("eviction-held", ({ reason }) => reason === "stopped", PATIENCE_SECONDS);
  await guest.must("sleep 20");
  expect(cluster.evictions).toEqual([]);
  expect(await agent.events("eviction-decided")).toEqual([]);
  await cluster.untilSwapPressure("True", PATIENCE_SECONDS);
  cluster.annotate(undefined);
  const restarted = await agent.event("eviction-restarted");
  const decision = await node.expectOnlyHogEvicted();
  console.log(`decided ${secondsBetween(restarted, decision)} s after the annotation was removed`);
  expect((await agent.log()).map(({ event }) => event)).not.toContain("node-annotation-ignored");
});

function secondsBetween(...entries: readonly [Record<string, unknown>, Record<string, unknown>]): string {
  const [from = 0, to = 0] = entries.map(({ time }) => Date.parse(String(time)));
  return ((to - from) / 1000).toFixed(1);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
