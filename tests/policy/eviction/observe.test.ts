import { describe, expect, test } from "bun:test";
import { NO_SIGNAL_HISTORY, observe } from "../../../src/policy/eviction/observe.ts";
import type { Observation } from "../../../src/policy/eviction/signals.ts";
import type { Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { MI, type Moment, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

const config = { trafficWindowSeconds: 10 };

/** Returns the last observation of a series of snapshots. */
function observed(snapshots: readonly Snapshot[]): Observation {
  let history = NO_SIGNAL_HISTORY;
  let last: Observation | undefined;
  for (const snapshot of snapshots) {
    const next = observe(history, snapshot, config);
    history = next.history;
    last = next.observation;
  }
  if (last === undefined) throw new Error("nothing was observed");
  return last;
}

/** Returns a snapshot for each second, with these counts in each. */
function steady(seconds: number, each: Moment, from: Moment = {}, start = 0): Snapshot[] {
  return Array.from({ length: seconds + 1 }, (_, second) => {
    const counters = Object.entries(each).map(([name, figure]) => [
      name,
      (from[name as keyof Moment] ?? 0) + figure * second,
    ]);
    return snapshotAt(start + second, { ...from, ...Object.fromEntries(counters) });
  });
}

describe("swap traffic", () => {
  test("is an average in pages per second over the window", () => {
    const { swapInPagesPerSecond, swapOutPagesPerSecond } = observed(
      steady(30, { swapInPages: 100, swapOutPages: 7 }),
    );
    expect([swapInPagesPerSecond, swapOutPagesPerSecond]).toEqual([100, 7]);
  });

  test("before the window does not count", () => {
    const busy = steady(5, { swapInPages: 1000 });
    const quiet = steady(10, {}, { swapInPages: 5000 }, 6);
    expect(observed([...busy, ...quiet]).swapInPagesPerSecond).toBe(0);
  });

  test("is undefined after a single sample, after a gap, and after a counter has gone back", () => {
    const one = snapshotAt(0, { swapInPages: 5 });
    expect(observed([one]).swapInPagesPerSecond).toBeUndefined();
    expect(observed([one, snapshotAt(601, { swapInPages: 50_000 })]).swapInPagesPerSecond).toBeUndefined();
    expect(observed([one, snapshotAt(1, { swapInPages: 4 })]).swapInPagesPerSecond).toBeUndefined();
  });

  test("is an average over a time without samples", () => {
    for (const seconds of [20, 70, 600]) {
      const [first, last] = [snapshotAt(0, {}), snapshotAt(seconds, { swapInPages: 100 * seconds })];
      expect(observed([first, last]).swapInPagesPerSecond).toBe(100);
    }
  });
});

describe("memory pressure", () => {
  const stalled = { stallMicroseconds: 300_000 };

  test.each<[string, Moment, number, string | undefined]>([
    ["by immediate refaults", { ...stalled, anonRefaults: 900 }, 0.3, "anonymous-refault"],
    ["by swap-in", { ...stalled, swapInPages: 900 }, 0.3, "swap-in"],
    ["by file refaults", { ...stalled, fileRefaults: 5000, swapInPages: 90 }, 0, undefined],
    ["by file refaults alone", { ...stalled, fileRefaults: 5000, anonRefaults: 499 }, 0, undefined],
    [
      "by a tenth of anonymous refaults",
      { ...stalled, fileRefaults: 5000, anonRefaults: 500 },
      0.3,
      "anonymous-refault",
    ],
    ["by memory that is swapped out and stays out", { ...stalled, swapOutPages: 9000 }, 0.3, "swap-out"],
    ["by next to no memory that is swapped out", { ...stalled, swapOutPages: 49 }, 0, undefined],
    ["without any traffic", stalled, 0, undefined],
    ["without a stall", { anonRefaults: 900, swapInPages: 900 }, 0, "anonymous-refault"],
  ])("%s", (_, each, pressure, cause) => {
    const { memoryPressure, pressureCause } = observed(steady(20, each));
    expect(memoryPressure).toBeCloseTo(pressure, 6);
    expect(pressureCause).toBe(cause as never);
  });

  test("counts while swap is full, without any traffic", () => {
    const { memoryPressure, pressureCause } = observed(
      steady(20, { stallMicroseconds: 790_000 }, { swapFreeBytes: MI }),
    );
    expect(memoryPressure).toBeCloseTo(0.79, 6);
    expect(pressureCause).toBe("swap-exhausted");
  });

  test.each([
    ["limits are reached", { swapBytes: 200 * MI, swapLimitBytes: 200 * MI }, "swap-exhausted"],
    ["limits leave room", { swapBytes: 100 * MI, swapLimitBytes: 200 * MI }, undefined],
    ["memory has been swapped out", { swapBytes: 100 * MI, swappableBytes: MI }, "swap-exhausted"],
    ["containers may not swap", { swapBytes: 0, swapLimitBytes: 0 }, undefined],
    ["limits are unknown", { swapBytes: 200 * MI, swapLimitBytes: undefined }, undefined],
  ] as const)("is swap's doing where the node has swap, and pods' %s: %o", (_, differences, cause) => {
    const pods = [podOf("a")];
    const snapshots = [0, 1, 2, 3, 4, 5, 6].map((second) =>
      snapshotAt(second, { stallMicroseconds: second * 300_000 }, pods, [sampleOf("a", differences)]),
    );
    expect(observed(snapshots).pressureCause).toBe(cause);
  });

  test("ends with a spike", () => {
    const spike = steady(3, { stallMicroseconds: 1_000_000, swapInPages: 9000 });
    const after = steady(1, {}, { stallMicroseconds: 3_000_000, swapInPages: 27_000 }, 4);
    expect(observed([...spike, ...after.slice(0, 1)]).memoryPressure).toBeGreaterThan(0);
    expect(observed([...spike, ...after]).memoryPressure).toBe(0);
  });

  test("is undefined without pressure stall information", () => {
    const without = steady(20, { swapInPages: 900 }).map((snapshot) => ({
      ...snapshot,
      kubepods: snapshot.kubepods && { ...snapshot.kubepods, memoryPressure: undefined },
    }));
    expect(observed(without).memoryPressure).toBeUndefined();
  });

  test("is at most 1", () => {
    expect(observed(steady(20, { stallMicroseconds: 1_010_000, swapInPages: 900 })).memoryPressure).toBe(1);
  });
});

describe("the settled share of swapping", () => {
  /**
   * Returns a snapshot for each second: one container's pages are swapped out and stay out, and another one takes the
   * room, while its own go out and come back.
   */
  const coldFor = (seconds: number, thenHot = 0, moment: Moment = {}) =>
    Array.from({ length: seconds + thenHot + 1 }, (_, second) =>
      snapshotAt(
        second,
        moment,
        [],
        [
          sampleOf("cold", { swapBytes: Math.min(second, seconds) * 1000 * 4096 }),
          sampleOf("hot", {
            memoryBytes: 50 * MI + second * 1000 * 4096,
            swapBytes: 100 * MI,
            anonRefaults: second * 3000,
          }),
        ],
      ),
    );

  test("covers the stall window", () => {
    expect(observed(coldFor(20)).swapSettling).toBeCloseTo(0.25, 6);
    expect(observed(coldFor(20, 4)).swapSettling).toBeGreaterThan(0);
    expect(observed(coldFor(20, 5)).swapSettling).toBe(0);
  });

  test("is 0 where memory only comes back", () => {
    const returning = Array.from({ length: 10 }, (_, second) => {
      const swap = { swapBytes: 400 * MI - second * 3000 * 4096, anonRefaults: second * 3000 };
      return snapshotAt(second, {}, [], [sampleOf("hot", { ...swap, memoryBytes: (50 + second * 12) * MI })]);
    });
    expect(observed(returning).swapSettling).toBe(0);
  });

  test("is 0 while swap is full", () => {
    expect(observed(coldFor(20, 0, { swapFreeBytes: MI })).swapSettling).toBe(0);
  });

  test("is undefined while containers are not sampled, and right after that", () => {
    const unseen = snapshotAt(21, {});
    expect(observed([...coldFor(20), unseen]).swapSettling).toBeUndefined();
    const [seen] = coldFor(0);
    if (seen === undefined) throw new Error("there is no snapshot");
    const again = { ...seen, atSeconds: 22 };
    expect(observed([...coldFor(20), unseen, again]).swapSettling).toBeUndefined();
    expect(observed([...coldFor(20), unseen, again, { ...seen, atSeconds: 23 }]).swapSettling).toBe(0);
  });

  test("is counted in the kernel's pages", () => {
    const large = coldFor(20).map((snapshot) => ({ ...snapshot, pageBytes: 65_536 }));
    // A sixteenth of 1000 pages is swapped out, and 3000 go out and come back.
    expect(observed(large).swapSettling).toBeCloseTo(62.5 / 3062.5, 6);
  });
});
