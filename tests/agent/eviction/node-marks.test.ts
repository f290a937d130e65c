import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { type Mark, NodeMarks } from "../../../src/agent/eviction/node-marks.ts";
import { ApiServer } from "../../../src/cluster/api-server.ts";
import { FakeApiServer } from "../../node/fake-api-server.ts";
import { FakeCluster } from "../../node/fake-cluster.ts";

const NODE = "node-0";
const OWN = { key: "wasp.io/swap-pressure", effect: "NoSchedule" };
const OTHER = { key: "example.com/gpu", effect: "NoSchedule" };
const PRESSED: Mark = { isPressed: true, message: "it hurts", taintEffect: "NoSchedule" };
const QUIET: Mark = { ...PRESSED, isPressed: false };

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.objects.putNode(NODE);
});

/** The marks of a node, shown each second of a clock that goes by at once. */
class Showing {
  readonly told: string[] = [];
  #now = 0;
  readonly #marks = new NodeMarks(new ApiServer(fake.options), NODE, () => this.#now, {
    onTaint: (effect) => this.told.push(effect ?? "untainted"),
    onRestored: (lost) => this.told.push(`restored ${lost}`),
    onContest: (isContested) => this.told.push(isContested ? "contested" : "uncontested"),
    onError: (error) => this.told.push(error.message),
    onSuccess: () => {},
  });

  async seconds(count: number, mark: Mark): Promise<void> {
    for (const end = this.#now + count; this.#now < end; this.#now++) await this.#marks.show(mark);
  }
}

const taint = (...taints: readonly object[]) => fake.objects.putNode(NODE, { spec: { taints } });
const taints = () => fake.objects.nodes.get(NODE)?.spec.taints ?? [];
const condition = () =>
  fake.objects.nodes.get(NODE)?.status.conditions.find(({ type }) => type === "SwapPressure");
const lines = () => fake.objects.requests.map(({ line }) => line.replace(`/api/v1/nodes/${NODE}`, "node"));

describe("the marks of a quiet node", () => {
  test("cost nothing but a sign of life every five minutes", async () => {
    const showing = new Showing();
    await showing.seconds(1, QUIET);
    fake.objects.requests.length = 0;
    await showing.seconds(3599, QUIET);
    const signOfLife = ["GET node", "GET node", "PATCH node/status"];
    expect(lines()).toEqual(Array.from({ length: 11 }, () => signOfLife).flat());
    expect(showing.told).toEqual([]);
  });
});

describe("the marks of a node under pressure", () => {
  test("are looked after four times a minute, which changes nothing", async () => {
    const showing = new Showing();
    await showing.seconds(1, PRESSED);
    fake.objects.requests.length = 0;
    await showing.seconds(240, PRESSED);
    expect(new Set(lines())).toEqual(new Set(["GET node"]));
    expect(lines().length).toBeWithin(15, 18);
    expect(showing.told).toEqual(["NoSchedule"]);
  });

  test.each<[string, () => void]>([
    ["taint", () => taint(OTHER)],
    ["taint", () => taint(OTHER, { ...OWN, effect: "NoExecute" })],
    ["condition", () => fake.objects.putNode(NODE, { status: { conditions: [] } })],
    [
      "taint, condition",
      () => fake.objects.putNode(NODE, { spec: { taints: [OTHER] }, status: { conditions: [] } }),
    ],
  ])("are put back within 15 s by what somebody took of them: %s", async (lost, take) => {
    taint(OTHER);
    const showing = new Showing();
    await showing.seconds(20, PRESSED);
    take();
    await showing.seconds(15, PRESSED);
    expect(showing.told).toEqual(["NoSchedule", `restored ${lost}`]);
    expect(taints()).toEqual([OTHER, OWN]);
    expect(condition()).toMatchObject({ status: "True", message: "it hurts" });
  });

  test("are put back slowly where somebody takes them away again and again, until that is over", async () => {
    const showing = new Showing();
    await showing.seconds(1, PRESSED);
    for (let minute = 0; minute < 4; minute++) {
      for (let second = 0; second < 60; second++) {
        taint();
        await showing.seconds(1, PRESSED);
      }
    }
    const restores = showing.told.filter((what) => what.startsWith("restored"));
    // Two at once, then one a minute.
    expect(restores.length).toBeWithin(4, 7);
    expect(showing.told).toContain("contested");
    await showing.seconds(200, PRESSED);
    expect(taints()).toEqual([OWN]);
    expect(showing.told.at(-1)).toBe("uncontested");
  });
});
