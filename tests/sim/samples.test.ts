import { describe, expect, test } from "bun:test";
import type { ContainerSample, PodSample, Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { type NodePlan, SimulatedNode } from "./node.ts";
import { Random } from "./random.ts";
import { scenarioOf } from "./scenarios.ts";

const SEEDS = [1, 2, 3];
const NONE = { high: 0, max: 0, oom: 0 };

/** Returns two snapshots of a scenario, 20 s apart in its second minute. */
function minute(
  kind: string,
  seed: number,
  change: (plan: NodePlan) => NodePlan = (plan) => plan,
): Snapshot[] {
  const random = new Random(seed);
  const node = new SimulatedNode(change(scenarioOf(kind, random).plan), random);
  return [90, 110].map((atSeconds) => {
    while (node.atSeconds < atSeconds) node.tick();
    return node.snapshot();
  });
}

function stalled(before: Pick<PodSample, "memoryPressure">, now: Pick<PodSample, "memoryPressure">): number {
  const total = ({ memoryPressure }: typeof now) => memoryPressure?.full?.totalMicroseconds ?? Number.NaN;
  return (total(now) - total(before)) / 20e6;
}

function podIn(snapshot: Snapshot | undefined, name: string): PodSample {
  const found = snapshot?.podSamples.find(({ podUid }) => podUid === `shop-${name}`);
  if (found === undefined) throw new Error(`no sample of ${name}`);
  return found;
}

function containerIn(snapshot: Snapshot | undefined, name: string): ContainerSample | undefined {
  return snapshot?.containers.find(({ podUid }) => podUid === `shop-${name}`);
}

describe("the samples of a simulated node", () => {
  test.each(SEEDS)("show a pod's own stall, which busy CPUs hide in that of all: seed %i", (seed) => {
    const [before, now] = minute("hog-beside-burners", seed);
    if (before?.kubepods === undefined || now?.kubepods === undefined) throw new Error("no kubepods");
    expect(stalled(before.kubepods, now.kubepods)).toBeLessThan(0.05);
    expect(stalled(podIn(before, "hog"), podIn(now, "hog"))).toBeGreaterThan(0.5);
    expect(stalled(podIn(before, "burner-0"), podIn(now, "burner-0"))).toBeLessThan(0.01);
  });

  test.each([
    ["own-limit", "max"],
    ["own-high", "high"],
  ] as const)("of %s show whose limit was met, in the counter %s", (kind, counter) => {
    for (const seed of SEEDS) {
      const [, now] = minute(kind, seed);
      const met = { ...NONE, [counter]: expect.any(Number) };
      expect(podIn(now, "bounded").events).toEqual({ ...met, local: NONE });
      expect(containerIn(now, "bounded")?.events).toEqual({ ...met, local: met });
      expect(podIn(now, "bounded").events?.[counter]).toBeGreaterThan(0);
      for (const { podUid, events } of now?.podSamples ?? [])
        if (podUid !== "shop-bounded") expect(events).toEqual({ ...NONE, local: NONE });
    }
  });

  test("show the shortage of all pods in nobody's own limit", () => {
    for (const seed of SEEDS)
      for (const { events } of minute("hog", seed)[1]?.podSamples ?? [])
        expect(events).toEqual({ ...NONE, local: NONE });
  });

  test("of a pod go on when its container is killed and starts again", () => {
    const withoutSwap = (plan: NodePlan): NodePlan => ({
      ...plan,
      pods: plan.pods.map((pod) => (pod.pod.name === "bounded" ? { ...pod, swapPages: 0 } : pod)),
    });
    const [, now] = minute("own-limit", 1, withoutSwap);
    const pod = podIn(now, "bounded").events;
    const container = containerIn(now, "bounded")?.events;
    expect(pod?.oom).toBeGreaterThan(0);
    expect(container?.oom).toBe(0);
    expect(pod?.max).toBeGreaterThan(container?.max ?? Number.NaN);
  });

  test("lack pressure on a kernel without it", () => {
    const [, now] = minute("hog", 1, (plan) => ({ ...plan, hasPressure: false }));
    const samples = [...(now?.podSamples ?? []), ...(now?.containers ?? [])];
    expect(samples.length).toBeGreaterThan(0);
    for (const { memoryPressure } of samples) expect(memoryPressure).toBeUndefined();
  });
});
