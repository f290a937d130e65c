import { afterAll, beforeEach, expect, test } from "bun:test";
import { Evictor, type EvictorConfig } from "../../../src/agent/eviction/evictor.ts";
import { AgentMetrics } from "../../../src/agent/metrics/metrics.ts";
import { Reporter } from "../../../src/agent/metrics/reporter.ts";
import { ApiServer } from "../../../src/cluster/api-server.ts";
import { Logger } from "../../../src/log/logger.ts";
import type { EvictionConfig } from "../../../src/policy/eviction/decide.ts";
import { FakeApiServer } from "../../node/fake-api-server.ts";
import { FakeCluster } from "../../node/fake-cluster.ts";
import { GI, MI, podOf, sampleOf, snapshotAt } from "../../policy/eviction/snapshots.ts";

const NODE = "node-0";
const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.objects.putNode(NODE);
});

/** An evictor of a node on which kube-system/hog uses nearly all memory, with a fake clock. */
class Evicting {
  readonly evictor: Evictor;
  #now = 1000;
  readonly #mode: EvictionConfig["evictionMode"];

  constructor(mode: EvictionConfig["evictionMode"]) {
    this.#mode = mode;
    this.evictor = new Evictor({
      ...{ server: new ApiServer(fake.options), nodeName: NODE },
      config: () => this.#config,
      takeSnapshot: () => this.#snapshot(),
      isStopped: () => false,
      reporter: new Reporter(
        new Logger({ format: "Json", verbosity: 0, write: () => {} }),
        new AgentMetrics(BUILD),
      ),
      onAnswer: () => {},
      nowSeconds: () => this.#now,
    });
  }

  /** Ticks each second; the real pauses let requests end. */
  async seconds(count: number): Promise<void> {
    for (const end = this.#now + count; this.#now < end; this.#now++) {
      this.evictor.tick();
      await Bun.sleep(2);
    }
  }

  get #config(): EvictorConfig {
    return {
      evictionMode: this.#mode,
      taintEffect: "None",
      lastResort: "None",
      evictionThresholds: [
        {
          ...{ name: "always", graceSeconds: 0, minClearSeconds: 0, isHard: false },
          allOf: [{ signal: "memoryAvailable", operator: ">=", value: 0 }],
        },
      ],
      ...{ trafficWindowSeconds: 30, cooldownSeconds: 60, victimDeadlineSeconds: 300 },
      ...{ evictionOptOut: "WithinRequests", evictionOptOutNamespaces: ["*"] },
      ...{ maxEvictionsPerHour: 6, excludeNamespaces: ["kube-system"], ownPodUid: undefined },
    };
  }

  #snapshot() {
    const pods = [podOf("hog", { namespace: "kube-system" }), podOf("web")];
    const containers = [sampleOf("hog", { memoryBytes: 3 * GI }), sampleOf("web", { memoryBytes: 90 * MI })];
    return snapshotAt(this.#now, {}, pods, containers);
  }
}

const BUILD = { version: "0", commit: "0" };
const WHY =
  "No pod is evicted, because those that would help are never evicted (relieving-kept): kube-system/hog (excluded-namespace). " +
  "Restart, move or limit one of them; excludeNamespaces and evictionOptOut decide who may be evicted. ";
const condition = () =>
  fake.objects.nodes.get(NODE)?.status.conditions.find(({ type }) => type === "SwapPressure");
const events = () => [...fake.objects.events.values()];

async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500 && !isSo(); attempt++) await Bun.sleep(10);
}

test("a hold that needs a person is named by the condition and one Event after a minute", async () => {
  const evicting = new Evicting("Enforce");
  await evicting.seconds(50);
  expect(evicting.evictor.holdReason).toBe("relieving-kept");
  await until(() => condition()?.status === "True");
  expect(condition()?.message).not.toContain("relieving-kept");
  expect(events()).toEqual([]);
  await evicting.seconds(60);
  await until(() => events().length > 0 && String(condition()?.message).includes("relieving-kept"));
  expect(condition()).toMatchObject({ status: "True", message: expect.stringContaining(WHY) });
  await evicting.seconds(60);
  expect(events()).toEqual([
    expect.objectContaining({
      ...{ type: "Warning", reason: "SwapEvictionHeld", message: expect.stringContaining(WHY) },
      involvedObject: expect.objectContaining({ kind: "Node", name: NODE }),
    }),
  ]);
  await evicting.evictor.leave();
});

test("a dry run records the Event too, and publishes no condition", async () => {
  const evicting = new Evicting("DryRun");
  await evicting.seconds(90);
  await until(() => events().length > 0);
  expect(events()).toHaveLength(1);
  expect(condition()).toBeUndefined();
  await evicting.evictor.leave();
});

test("without eviction there is no hold", async () => {
  const evicting = new Evicting("Off");
  await evicting.seconds(2);
  expect(evicting.evictor.holdReason).toBeUndefined();
});
