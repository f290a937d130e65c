import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { PressurePublisher, type PressureStatus } from "../../../src/agent/eviction/pressure-publisher.ts";
import { ApiServer } from "../../../src/cluster/api-server.ts";
import { FakeApiServer } from "../../node/fake-api-server.ts";
import { FakeCluster } from "../../node/fake-cluster.ts";

const NODE = "node-0";
const OWN = { key: "wasp.io/swap-pressure", effect: "NoSchedule" };
const OTHER = { key: "example.com/gpu", effect: "NoSchedule" };
const PRESSED: PressureStatus = { isPressed: true, message: "it hurts", taintEffect: "NoSchedule" };
const QUIET: PressureStatus = { ...PRESSED, isPressed: false };

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.objects.putNode(NODE);
});

/** A publisher that publishes a status each second of a fake clock, and the events that it reports. */
class Publishing {
  readonly events: string[] = [];
  #now = 0;
  readonly #publisher = new PressurePublisher(new ApiServer(fake.options), NODE, () => this.#now, {
    onTaint: (effect) => this.events.push(effect ?? "untainted"),
    onRestored: (lost) => this.events.push(`restored ${lost}`),
    onContest: (isContested) => this.events.push(isContested ? "contested" : "uncontested"),
    onError: (error) => this.events.push(error.message),
    onSuccess: () => {},
  });

  async seconds(count: number, status: PressureStatus): Promise<void> {
    for (const end = this.#now + count; this.#now < end; this.#now++) await this.#publisher.publish(status);
  }
}

const taint = (...taints: readonly object[]) => fake.objects.putNode(NODE, { spec: { taints } });
const taints = () => fake.objects.nodes.get(NODE)?.spec.taints ?? [];
const condition = () =>
  fake.objects.nodes.get(NODE)?.status.conditions.find(({ type }) => type === "SwapPressure");
const lines = () => fake.objects.requests.map(({ line }) => line.replace(`/api/v1/nodes/${NODE}`, "node"));

describe("condition and taint of a quiet node", () => {
  test("cost nothing but a heartbeat every five minutes", async () => {
    const publishing = new Publishing();
    await publishing.seconds(1, QUIET);
    fake.objects.requests.length = 0;
    await publishing.seconds(3599, QUIET);
    const heartbeat = ["GET node", "GET node", "PATCH node/status"];
    expect(lines()).toEqual(Array.from({ length: 11 }, () => heartbeat).flat());
    expect(publishing.events).toEqual([]);
  });
});

describe("condition and taint of a node under pressure", () => {
  test("are written again when the reason of a hold comes, and when it goes", async () => {
    const publishing = new Publishing();
    await publishing.seconds(1, PRESSED);
    await publishing.seconds(1, { ...PRESSED, held: "relieving-kept", message: "nobody may go" });
    expect(condition()).toMatchObject({ status: "True", message: "nobody may go" });
    await publishing.seconds(1, PRESSED);
    expect(condition()).toMatchObject({ status: "True", message: "it hurts" });
    expect(publishing.events).toEqual(["NoSchedule"]);
  });

  test("are checked four times a minute, which changes nothing", async () => {
    const publishing = new Publishing();
    await publishing.seconds(1, PRESSED);
    fake.objects.requests.length = 0;
    await publishing.seconds(240, PRESSED);
    expect(new Set(lines())).toEqual(new Set(["GET node"]));
    expect(lines().length).toBeWithin(15, 18);
    expect(publishing.events).toEqual(["NoSchedule"]);
  });

  test.each<[string, () => void]>([
    ["taint", () => taint(OTHER)],
    ["taint", () => taint(OTHER, { ...OWN, effect: "NoExecute" })],
    ["condition", () => fake.objects.putNode(NODE, { status: { conditions: [] } })],
    [
      "taint, condition",
      () => fake.objects.putNode(NODE, { spec: { taints: [OTHER] }, status: { conditions: [] } }),
    ],
  ])("are restored within 15 s after another client has changed them: %s", async (lost, take) => {
    taint(OTHER);
    const publishing = new Publishing();
    await publishing.seconds(20, PRESSED);
    take();
    await publishing.seconds(15, PRESSED);
    expect(publishing.events).toEqual(["NoSchedule", `restored ${lost}`]);
    expect(taints()).toEqual([OTHER, OWN]);
    expect(condition()).toMatchObject({ status: "True", message: "it hurts" });
  });

  test("are restored slowly while another client keeps changing them, until that is over", async () => {
    const publishing = new Publishing();
    await publishing.seconds(1, PRESSED);
    for (let minute = 0; minute < 4; minute++) {
      for (let second = 0; second < 60; second++) {
        taint();
        await publishing.seconds(1, PRESSED);
      }
    }
    const restores = publishing.events.filter((what) => what.startsWith("restored"));
    // Two at once, then one a minute.
    expect(restores.length).toBeWithin(4, 7);
    expect(publishing.events).toContain("contested");
    await publishing.seconds(200, PRESSED);
    expect(taints()).toEqual([OWN]);
    expect(publishing.events.at(-1)).toBe("uncontested");
  });
});
