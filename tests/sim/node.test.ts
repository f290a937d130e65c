import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PodSample } from "../../src/policy/eviction/snapshot.ts";
import { SimulatedNode } from "./node.ts";
import { Random } from "./random.ts";
import { PAGE_BYTES } from "./samples.ts";
import { KINDS, scenarioOf } from "./scenarios.ts";

function nodeOf(kind: string, seed: number): SimulatedNode {
  const random = new Random(seed);
  return new SimulatedNode(scenarioOf(kind, random).plan, random);
}

function pass(node: SimulatedNode, seconds: number): SimulatedNode {
  for (let second = 0; second < seconds; second += 1) node.tick();
  return node;
}

function expectRisen(before: readonly PodSample[], now: readonly PodSample[]): void {
  const known = new Map(before.map((sample) => [sample.podUid, countersOf(sample)]));
  for (const sample of now)
    countersOf(sample).forEach((counter, index) => {
      expect(counter).toBeGreaterThanOrEqual(known.get(sample.podUid)?.[index] ?? -1);
    });
}

function countersOf({ anonRefaults, fileRefaults, memoryPressure, events }: PodSample): number[] {
  const { some, full } = memoryPressure ?? {};
  const stalls = [some?.totalMicroseconds, full?.totalMicroseconds];
  return [anonRefaults, fileRefaults, ...stalls, events?.high, events?.max, events?.oom].map(
    (counter) => counter ?? -1,
  );
}

describe("a simulated node", () => {
  test.each(KINDS)("%s: the same seed makes the same node", (kind) => {
    expect(pass(nodeOf(kind, 7), 90).snapshot()).toEqual(pass(nodeOf(kind, 7), 90).snapshot());
  });

  test("goes on as its copy does, and neither changes the other", () => {
    const node = pass(nodeOf("hog", 3), 60);
    const before = node.snapshot();
    const copy = node.copy();
    const ahead = pass(copy, 60).snapshot();
    expect(node.snapshot()).toEqual(before);
    expect(pass(node, 60).snapshot()).toEqual(ahead);
  });

  test("a pod's memory and swap are free once it is gone", () => {
    const node = pass(nodeOf("hog", 3), 120);
    const { swapFreeBytes } = node.snapshot().node;
    const hog = node.snapshot().containers.find(({ podUid }) => podUid.endsWith("hog"));
    expect(hog?.swapBytes).toBeGreaterThan(0);
    node.remove("shop-hog");
    expect(node.snapshot().pods.map(({ name }) => name)).not.toContain("hog");
    expect(node.snapshot().node.swapFreeBytes - swapFreeBytes).toBeCloseTo(hog?.swapBytes ?? 0, -4);
  });

  test("swap and memory are conserved, and counters only rise", () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.integer({ min: 1, max: 1e6 }), (kind, seed) => {
        const node = nodeOf(kind, seed);
        let before = node.snapshot();
        for (let second = 0; second < 120; second += 1) {
          node.tick();
          const now = node.snapshot();
          const swappedBytes = now.containers.reduce((sum, { swapBytes }) => sum + swapBytes, 0);
          const slackBytes = 64 * now.containers.length * PAGE_BYTES;
          const usedBytes = now.node.swapTotalBytes - now.node.swapFreeBytes;
          expect(Math.abs(usedBytes - swappedBytes)).toBeLessThanOrEqual(slackBytes);
          expect(now.node.swapFreeBytes).toBeGreaterThanOrEqual(0);
          expect(now.node.memoryFreeBytes ?? -1).toBeGreaterThanOrEqual(0);
          expect(now.node.swapInPages).toBeGreaterThanOrEqual(before.node.swapInPages);
          expect(now.kubepods?.anonRefaults ?? -1).toBeGreaterThanOrEqual(before.kubepods?.anonRefaults ?? 0);
          expectRisen(before.podSamples, now.podSamples);
          before = now;
        }
      }),
      { numRuns: 20 },
    );
  });
});
