import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { hangUp } from "../node/api-answers.ts";
import { answerAfter } from "../node/fake-kubelet.ts";
import { PressedNode } from "../node/pressed-node.ts";
import type { RunningAgent } from "../node/running-agent.ts";
import { patience } from "../patience.ts";

setDefaultTimeout(patience(120));

const FIRST = "POST /api/v1/namespaces/test/pods/pod-1/eviction";
const SLOW_MILLISECONDS = 10_000;

/** Knobs with one threshold, which is over after this time without a stall. */
function thresholdOver(minClearSeconds: number, graceSeconds: number) {
  const stalled = { signal: "memoryPressure", operator: ">=", value: "10%" };
  return {
    evictionThresholds: [{ name: "stalled", allOf: [stalled], graceSeconds, minClearSeconds }],
    cooldownSeconds: 3600,
  };
}

/** A node with a hog and its neighbour, and the times of the eviction requests. */
async function startPressed(minClearSeconds: number, graceSeconds = 1) {
  const pressed = await PressedNode.start(thresholdOver(minClearSeconds, graceSeconds));
  pressed.addPod(1, 600);
  pressed.addPod(2, 20);
  const askedAt: number[] = [];
  pressed.server.objects.beforeServing = ({ line }) => {
    if (line === FIRST) askedAt.push(Date.now());
  };
  return { pressed, askedAt };
}

/** Waits for a look that finds the node quiet; the first look of an agent does, too, and comes before the decision. */
async function quietAfterDecision(agent: RunningAgent): Promise<void> {
  const decided = await agent.event("eviction-decided");
  await agent.event(
    "eviction-held",
    ({ reason, time }) => reason === "not-pressed" && String(time) > String(decided["time"]),
  );
}

describe.concurrent("an eviction is requested", () => {
  test("at once, and once, of an API server that answers each request after ten seconds", async () => {
    const { pressed, askedAt } = await startPressed(60);
    using _ = pressed;
    pressed.server.objects.delayMilliseconds = SLOW_MILLISECONDS;
    await using agent = pressed.agent();
    const decided = await agent.event("eviction-decided");
    await agent.event("pod-evicted");
    await agent.event("eviction-held", ({ reason }) => reason === "cooldown");
    expect(askedAt).toHaveLength(1);
    expect((askedAt[0] ?? 0) - Date.parse(String(decided["time"]))).toBeLessThan(patience(15));
    expect(pressed.asked).toEqual(["pod-1"]);
  });

  test("over a connection that was open before", async () => {
    const { pressed } = await startPressed(60, 5);
    using _ = pressed;
    // Probes of a quick server might share a connection.
    pressed.server.objects.delayMilliseconds = 500;
    const connections = { atProbe: 0, atRequest: 0 };
    pressed.server.objects.beforeServing = ({ line }) => {
      if (line === "GET /version") connections.atProbe = pressed.server.connections;
      if (line === FIRST) connections.atRequest = pressed.server.connections;
    };
    await using agent = pressed.agent();
    await agent.event("pod-evicted");
    expect(connections.atProbe).toBeGreaterThanOrEqual(3);
    expect(connections.atRequest).toBe(connections.atProbe);
  });

  test("again after a lost connection, although the node is quiet for a moment", async () => {
    const { pressed, askedAt } = await startPressed(60);
    using _ = pressed;
    const quiet = Promise.withResolvers<void>();
    pressed.server.objects.instead(FIRST, answerAfter(quiet.promise, hangUp));
    await using agent = pressed.agent();
    await agent.until(() => askedAt.length === 1, "the first request");
    pressed.relieve();
    await quietAfterDecision(agent);
    quiet.resolve();
    expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-1", answer: "accepted" });
    expect(agent.events("eviction-decided")).toHaveLength(1);
    expect(pressed.asked).toEqual(["pod-1", "pod-1"]);
  });

  test("not again once the pressure is over", async () => {
    const { pressed, askedAt } = await startPressed(1);
    using _ = pressed;
    const quiet = Promise.withResolvers<void>();
    pressed.server.objects.instead(FIRST, answerAfter(quiet.promise, hangUp));
    await using agent = pressed.agent();
    await agent.until(() => askedAt.length === 1, "the first request");
    pressed.relieve();
    await agent.event("node-untainted");
    quiet.resolve();
    expect(await agent.event("eviction-withdrawn")).toMatchObject({ pod: "pod-1" });
    expect(await agent.event("eviction-refused")).toMatchObject({ answer: "failed" });
    expect(pressed.asked).toEqual(["pod-1"]);
  });

  test("again after a lost answer, and the pod that is gone by then counts as evicted", async () => {
    const { pressed, askedAt } = await startPressed(60);
    using _ = pressed;
    pressed.server.objects.instead(FIRST, (socket) => {
      pressed.server.cluster.remove("pod-1");
      hangUp(socket);
    });
    await using agent = pressed.agent();
    expect(await agent.event("pod-evicted")).toMatchObject({ pod: "pod-1", answer: "accepted" });
    await agent.event("victim-awaited");
    expect(askedAt).toHaveLength(2);
    expect(pressed.asked).toEqual(["pod-1", "pod-1"]);
  });
});
