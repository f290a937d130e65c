import { describe, expect, test } from "bun:test";
import { podFiguresOf, usageOf } from "../../../src/policy/eviction/pod-figures.ts";
import { MI, podSampleOf, pressureOf, sampleOf } from "./snapshots.ts";

describe("a pod's figures", () => {
  test("are the sums of its containers in older recordings", () => {
    const one = sampleOf("pod", { id: "one", swapBytes: 7 * MI, swapCachedBytes: 2 * MI, anonRefaults: 5 });
    const cache = { memoryBytes: 30 * MI, inactiveFileBytes: 20 * MI, swapCachedBytes: undefined };
    const two = sampleOf("pod", { id: "two", anonRefaults: 6, ...cache });
    expect(podFiguresOf({ containers: [one, two, sampleOf("other")], podSamples: [] }).get("pod")).toEqual({
      workingSetBytes: 60 * MI,
      swapBytes: 7 * MI,
      swapCachedBytes: 2 * MI,
      anonRefaults: 11,
      stallMicroseconds: undefined,
      ownLimitEvents: undefined,
    });
  });

  test("are those of its own cgroup, with memory that is charged to no container", () => {
    const own = podSampleOf("pod", {
      ...{ memoryBytes: 400 * MI, inactiveFileBytes: 30 * MI, swapBytes: 20 * MI, anonRefaults: 9 },
      memoryPressure: pressureOf(1234),
      events: { high: 3, max: 4, oom: 5, local: { high: 0, max: 0, oom: 0 } },
    });
    const figures = podFiguresOf({ containers: [sampleOf("pod")], podSamples: [own] });
    expect(figures).toEqual(
      new Map([
        [
          "pod",
          {
            workingSetBytes: 370 * MI,
            swapBytes: 20 * MI,
            swapCachedBytes: 0,
            anonRefaults: 9,
            stallMicroseconds: 1234,
            ownLimitEvents: 7,
          },
        ],
      ]),
    );
  });

  test("are never negative", () => {
    const cached = sampleOf("pod", { memoryBytes: MI, inactiveFileBytes: 2 * MI });
    expect(podFiguresOf({ containers: [cached], podSamples: [] }).get("pod")?.workingSetBytes).toBe(0);
  });
});

test("pages that are in memory and still have their slot in swap count once", () => {
  const usage = (memory: number, swap: number, cached: number) => {
    const own = { memoryBytes: memory * MI, swapBytes: swap * MI, swapCachedBytes: cached * MI };
    const figures = podFiguresOf({ containers: [], podSamples: [podSampleOf("pod", own)] }).get("pod");
    return figures && usageOf(figures) / MI;
  };
  expect(usage(280, 53, 53)).toBe(280);
  expect(usage(280, 53, 0)).toBe(333);
  expect(usage(280, 53, 20)).toBe(313);
  // The two files are read one after the other.
  expect(usage(280, 50, 53)).toBe(280);
});
