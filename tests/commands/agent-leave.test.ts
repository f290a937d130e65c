/** An agent that ends while its taint is on the node: the taint must not stay, or no pod would be scheduled there. */
import { describe, expect, test } from "bun:test";
import { LEAVE_MILLISECONDS } from "../../src/agent/eviction/last-requests.ts";
import { buildOverlay, find } from "../manifests/kustomize.ts";
import { failure } from "../node/api-answers.ts";
import type { ObjectRequest } from "../node/fake-objects.ts";
import { NODE, PressedNode } from "../node/pressed-node.ts";
import type { RunningAgent } from "../node/running-agent.ts";

const UNTAINTED = { taints: [], status: "Unknown", exitCode: 0 };

/** Starts a node under pressure where nobody is evicted, so that only condition and taint are written. */
async function startTainted(
  arrange: (pressed: PressedNode) => void = () => {},
): Promise<{ pressed: PressedNode; agent: RunningAgent } & AsyncDisposable> {
  const pressed = await PressedNode.start({ maxEvictionsPerHour: 0 });
  pressed.addPod(1, 600);
  arrange(pressed);
  const agent = pressed.agent();
  await agent.event("node-tainted");
  return {
    pressed,
    agent,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      pressed[Symbol.dispose]();
    },
  };
}

async function stop({ pressed, agent }: { pressed: PressedNode; agent: RunningAgent }) {
  const exitCode = await agent.stop();
  const status = pressed.condition !== undefined && "status" in pressed.condition && pressed.condition.status;
  return { taints: pressed.taints, status, exitCode };
}

describe.concurrent("an agent that ends removes its taint", () => {
  test("from an API server that needs 2 s for each response", async () => {
    await using tainted = await startTainted();
    tainted.pressed.server.objects.delayMilliseconds = 2000;
    expect(await stop(tainted)).toEqual(UNTAINTED);
  });

  test("though a request in progress is never answered", async () => {
    let hasCome = () => false;
    await using tainted = await startTainted((pressed) => {
      // The request that follows the taint: it reads the node to set the condition.
      const followsTaint = ({ line }: ObjectRequest) =>
        line === `GET /api/v1/nodes/${NODE}` && pressed.taints.length > 0;
      hasCome = pressed.server.objects.withhold(followsTaint);
    });
    await tainted.agent.until(() => hasCome(), "a request");
    expect(await stop(tainted)).toEqual(UNTAINTED);
  });

  test("though the API server fails at first", async () => {
    await using tainted = await startTainted();
    const { objects } = tainted.pressed.server;
    await tainted.agent.until(() => tainted.pressed.condition !== undefined, "the condition");
    const broken = failure(503, "ServiceUnavailable", "etcd has no leader");
    objects.instead(`PATCH /api/v1/nodes/${NODE}`, broken, broken);
    objects.instead(`PATCH /api/v1/nodes/${NODE}/status`, broken);
    expect(await stop(tainted)).toEqual(UNTAINTED);
  });
});

test("an agent that may not change its node ends at once", async () => {
  await using tainted = await startTainted();
  const { objects } = tainted.pressed.server;
  const forbidden = failure(403, "Forbidden", "no such permission");
  objects.always(`PATCH /api/v1/nodes/${NODE}`, forbidden);
  objects.always(`PATCH /api/v1/nodes/${NODE}/status`, forbidden);
  const writesBefore = objects.writes.length;
  expect((await stop(tainted)).exitCode).toBe(0);
  // One try for the taint and one for the condition, and at most one request that was in progress.
  expect(objects.writes.length - writesBefore).toBeLessThanOrEqual(3);
});

test("the DaemonSet grants an agent the time to leave", () => {
  const { spec } = find(buildOverlay("base"), "DaemonSet").spec.template;
  expect(spec.terminationGracePeriodSeconds * 1000).toBeGreaterThanOrEqual(LEAVE_MILLISECONDS + 2000);
});
