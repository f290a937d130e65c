import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { type SwapPressureTaint, setTaint } from "../../src/cluster/node-taint.ts";
import type { RequestErrorKind } from "../../src/cluster/request-error.ts";
import { failure, hangUp } from "../node/api-answers.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import type { Answer } from "../node/fake-kubelet.ts";

const GET = "GET /api/v1/nodes/node-0";
const PATCH = "PATCH /api/v1/nodes/node-0";
const KEY = "wasp.io/swap-pressure";
const HARD: SwapPressureTaint = { effect: "NoSchedule" };
const SOFT: SwapPressureTaint = { effect: "PreferNoSchedule" };
// Fields that wasp does not know are kept too.
const OTHER = { key: "example.com/gpu", effect: "NoSchedule", value: "yes" };
const EVICTING = {
  key: "node.kubernetes.io/unreachable",
  effect: "NoExecute",
  timeAdded: "2026-11-22T01:00:00Z",
};
const own = (effect: string, value?: string) =>
  value === undefined ? { key: KEY, effect } : { key: KEY, effect, value };

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => fake.reset(new FakeCluster(0, 1)));

const put = (taints: object[] | null | undefined) =>
  fake.objects.putNode("node-0", {
    spec: taints === undefined ? { unschedulable: true } : { unschedulable: true, taints },
  });
const set = (wanted: SwapPressureTaint | undefined, closing = new AbortController()) =>
  setTaint(new ApiServer(fake.options), "node-0", wanted, closing.signal);
const spec = () => fake.objects.nodes.get("node-0")?.spec;
const lines = () => fake.objects.requests.map(({ line }) => line);

describe("the taint", () => {
  test.each<[object[] | null | undefined, SwapPressureTaint | undefined, object[] | undefined]>([
    // No other taints.
    [undefined, HARD, [own("NoSchedule")]],
    [null, HARD, [own("NoSchedule")]],
    [[], SOFT, [own("PreferNoSchedule")]],
    [[], { ...HARD, value: "thrash" }, [own("NoSchedule", "thrash")]],
    // Other taints.
    [[OTHER, EVICTING], HARD, [OTHER, EVICTING, own("NoSchedule")]],
    [[OTHER, own("NoSchedule"), EVICTING], undefined, [OTHER, EVICTING]],
    [[own("NoSchedule")], undefined, []],
    // Another effect or value.
    [[own("NoSchedule"), OTHER], SOFT, [OTHER, own("PreferNoSchedule")]],
    [[own("NoSchedule", "thrash"), OTHER], HARD, [OTHER, own("NoSchedule")]],
    // Several: one key may occur with several effects.
    [[own("NoSchedule"), OTHER, own("PreferNoSchedule")], HARD, [OTHER, own("NoSchedule")]],
    [[own("NoExecute"), own("PreferNoSchedule"), OTHER], undefined, [OTHER]],
    // Nothing to do.
    [undefined, undefined, undefined],
    [[OTHER], undefined, undefined],
    [[own("NoSchedule"), OTHER], HARD, undefined],
    [[own("NoSchedule", ""), OTHER], HARD, undefined],
    [[own("PreferNoSchedule", "x")], { ...SOFT, value: "x" }, undefined],
  ])("of a node with %j, wanted %j: %j", async (before, wanted, after) => {
    put(before);
    expect(await set(wanted)).toBe(after !== undefined);
    const taints = (after ?? before ?? []) as [];
    expect<unknown>(spec()?.taints ?? []).toEqual(taints);
    expect(spec()?.unschedulable).toBe(true);
    expect(await set(wanted)).toBe(false);
    expect(fake.objects.writes).toHaveLength(after === undefined ? 0 : 1);
  });

  test("keeps one that is added at the same time", async () => {
    put([OTHER]);
    let rivals = 2;
    fake.objects.beforeServing = ({ line }) => {
      if (line !== PATCH || rivals-- <= 0) return;
      put([...(spec()?.taints ?? []), { key: `example.com/${rivals}`, effect: "NoSchedule" }]);
    };
    expect(await set(HARD)).toBe(true);
    const keys = spec()?.taints?.map((taint) => (taint as typeof OTHER).key);
    expect(keys).toEqual(["example.com/gpu", "example.com/1", "example.com/0", KEY]);
    expect(lines()).toEqual([GET, PATCH, GET, PATCH, GET, PATCH]);
  });

  test("does not restore one that is removed at the same time", async () => {
    put([OTHER, EVICTING, own("NoSchedule")]);
    fake.objects.beforeServing = ({ line }) => {
      if (line === PATCH && spec()?.taints?.length === 3) put([EVICTING, own("NoSchedule")]);
    };
    expect(await set(undefined)).toBe(true);
    expect<unknown>(spec()?.taints).toEqual([EVICTING]);
  });

  test("that is removed at the same time needs no patch", async () => {
    put([own("NoSchedule")]);
    fake.objects.beforeServing = ({ line }) => {
      if (line === PATCH) put([OTHER]);
    };
    expect(await set(undefined)).toBe(false);
    expect<unknown>(spec()?.taints).toEqual([OTHER]);
  });
});

describe("the taint cannot be set", () => {
  beforeEach(() => put([OTHER]));

  test.each<[string, string, Answer, RequestErrorKind, RegExp]>([
    ["the node is gone", GET, failure(404, "NotFound", 'nodes "node-0" not found'), "status", /404 nodes/],
    ["it may not be read", GET, failure(403, "Forbidden", "no"), "forbidden", /requires a permission/],
    ["it may not be patched", PATCH, failure(403, "Forbidden", "no"), "forbidden", /requires a permission/],
    ["a policy denies it", PATCH, failure(422, "Invalid", "denied request"), "status", /422 denied/],
    ["the API server fails", PATCH, failure(500, "InternalError", "etcd"), "status", /answered 500 etcd$/],
    ["the connection is lost", PATCH, hangUp, "unreachable", /^cannot reach the API server/],
  ])("when %s, without another attempt", async (_, line, given, kind, message) => {
    fake.objects.always(line, given);
    await expect(set(HARD)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
    expect(lines().filter((sent) => sent === line)).toHaveLength(1);
    expect<unknown>(spec()?.taints).toEqual([OTHER]);
  });

  test("when others keep changing the node", async () => {
    fake.objects.beforeServing = ({ line }) => {
      if (line === PATCH) put([OTHER]);
    };
    await expect(set(HARD)).rejects.toMatchObject({
      kind: "status",
      refusal: { status: 409 },
      message: expect.stringContaining("the object has been modified"),
    });
    expect(fake.objects.writes).toHaveLength(6);
  });

  test("when the agent ends meanwhile", async () => {
    const closing = new AbortController();
    fake.objects.beforeServing = ({ line }) => {
      if (line !== PATCH) return;
      put([OTHER]);
      closing.abort();
    };
    await expect(set(HARD, closing)).rejects.toMatchObject({ kind: "unreachable" });
    expect(fake.objects.writes).toHaveLength(1);
  });
});
