import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { decodeNode } from "../../src/cluster/node.ts";
import { type SwapPressure, setSwapPressure, swapPressureSince } from "../../src/cluster/node-condition.ts";
import type { RequestErrorKind } from "../../src/cluster/request-error.ts";
import { failure, hangUp } from "../node/api-answers.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import { type Answer, answer } from "../node/fake-kubelet.ts";

const STATUS = "PATCH /api/v1/nodes/node-0/status";
const FIRST = Date.parse("2026-11-22T02:00:00.750Z");
const HEALTHY: SwapPressure = {
  status: "False",
  reason: "NoSwapPressure",
  message: "swapping does not hurt",
};
const PRESSED: SwapPressure = { status: "True", reason: "SwapPressure", message: "containers stall" };

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.objects.putNode("node-0");
});

const set = (pressure: SwapPressure, secondsLater = 0) =>
  setSwapPressure(
    new ApiServer(fake.options),
    "node-0",
    pressure,
    FIRST + secondsLater * 1000,
    new AbortController().signal,
  );
const node = () => fake.objects.nodes.get("node-0");
const own = () => node()?.status.conditions.find(({ type }) => type === "SwapPressure");

describe("the node condition", () => {
  test.each<[string, SwapPressure | undefined, number | undefined]>([
    ["True", PRESSED, Date.parse("2026-11-22T02:00:07Z")],
    ["False", HEALTHY, undefined],
    ["missing", undefined, undefined],
  ])("when %s shows since when the pressure lasts", async (_, pressure, since) => {
    if (pressure !== undefined) {
      await set({ ...pressure, status: "Unknown" });
      await set(pressure, 7);
      await set({ ...pressure, message: "another" }, 60);
    }
    expect(swapPressureSince(decodeNode(node()))).toBe(since);
  });

  test("is set without a change of the others and of the rest of the node", async () => {
    const before = structuredClone(node());
    await set(HEALTHY);
    expect<unknown>(own()).toEqual({
      type: "SwapPressure",
      ...HEALTHY,
      lastHeartbeatTime: "2026-11-22T02:00:00Z",
      lastTransitionTime: "2026-11-22T02:00:00Z",
    });
    const after = node();
    const others = after?.status.conditions.filter(({ type }) => type !== "SwapPressure");
    expect(others).toHaveLength(4);
    const rest = { ...after, metadata: before?.metadata, status: { ...after?.status, conditions: others } };
    expect<unknown>(rest).toEqual(before);
  });

  test("is set with a patch that merges conditions by type", async () => {
    await set(HEALTHY);
    const [patch] = fake.objects.writes;
    expect(patch?.line).toBe(STATUS);
    expect(patch?.contentType).toBe("application/strategic-merge-patch+json");
    expect(patch?.body).toHaveProperty("status.conditions.length", 1);
  });

  test("keeps its transition time while its status is the same", async () => {
    const seen: unknown[] = [];
    const steps: [SwapPressure, number][] = [
      [HEALTHY, 0],
      [HEALTHY, 10],
      [PRESSED, 20],
      [{ ...PRESSED, message: "still" }, 30],
      [{ status: "Unknown", reason: "AgentStopped", message: "" }, 40],
      [HEALTHY, 50],
    ];
    for (const [pressure, seconds] of steps) {
      await set(pressure, seconds);
      seen.push(own());
    }
    const at = (seconds: string) => `2026-11-22T02:00:${seconds}Z`;
    expect(seen).toMatchObject([
      { status: "False", lastHeartbeatTime: at("00"), lastTransitionTime: at("00") },
      { status: "False", lastHeartbeatTime: at("10"), lastTransitionTime: at("00") },
      { status: "True", lastHeartbeatTime: at("20"), lastTransitionTime: at("20") },
      { status: "True", lastHeartbeatTime: at("30"), lastTransitionTime: at("20"), message: "still" },
      { status: "Unknown", lastHeartbeatTime: at("40"), lastTransitionTime: at("40") },
      { status: "False", lastHeartbeatTime: at("50"), lastTransitionTime: at("50") },
    ]);
  });

  test("of a node without conditions becomes its first", async () => {
    fake.objects.putNode("node-0", { status: { conditions: [] } });
    await set(PRESSED);
    expect(node()?.status.conditions).toHaveLength(1);
  });

  test("does not overwrite the kubelet's changes made meanwhile", async () => {
    fake.objects.beforeServing = ({ line }) => {
      if (line === STATUS) fake.objects.putNode("node-0", { status: { conditions: [{ type: "Ready" }] } });
    };
    await set(PRESSED);
    expect(node()?.status.conditions).toMatchObject([{ type: "Ready" }, { type: "SwapPressure" }]);
  });
});

describe("the node condition cannot be set", () => {
  const GET = "GET /api/v1/nodes/node-0";
  test.each<[string, string, Answer, RequestErrorKind, RegExp]>([
    ["the node is gone", GET, failure(404, "NotFound", 'nodes "node-0" not found'), "status", /404 nodes/],
    ["it may not be read", GET, failure(403, "Forbidden", "no"), "forbidden", /nodes\/node-0\) requires/],
    [
      "it is not a node",
      GET,
      answer("200 OK", "{}"),
      "malformed",
      /sent a malformed response: not a Node: kind: missing$/,
    ],
    [
      "it may not be patched",
      STATUS,
      failure(403, "Forbidden", "no"),
      "forbidden",
      /node-0\/status\) requires/,
    ],
    ["the API server fails", STATUS, failure(500, "InternalError", "etcd"), "status", /answered 500 etcd$/],
    ["the connection is lost", STATUS, hangUp, "unreachable", /^cannot reach the API server/],
  ])("when %s", async (_, line, given, kind, message) => {
    fake.objects.always(line, given);
    await expect(set(PRESSED)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });
});
