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

/** A second a snapshot, in which so much happens. */
function steady(seconds: number, each: Moment, from: Moment = {}, start = 0): Snapshot[] {
  return Array.from({ length: seconds + 1 }, (_, second) => {
    const counters = Object.entries(each).map(([name, figure]) => [
      name,
      (from[name as keyof Moment] ?? 0) + figure * second,
    ]);
    return snapshotAt(start + second, { ...from, ...Object.fromEntries(counters) });
  });
}

describe("traffic", () => {
  test("is counted in pages a second over the window", () => {
    const { swapInPagesPerSecond, swapOutPagesPerSecond } = observed(
      steady(30, { swapInPages: 100, swapOutPages: 7 }),
    );
    expect([swapInPagesPerSecond, swapOutPagesPerSecond]).toEqual([100, 7]);
  });

  test("of before the window counts no more", () => {
    const busy = steady(5, { swapInPages: 1000 });
    const quiet = steady(10, {}, { swapInPages: 5000 }, 6);
    expect(observed([...busy, ...quiet]).swapInPagesPerSecond).toBe(0);
  });

  test("cannot be told by one moment alone, nor across a gap, nor when a counter has gone back", () => {
    const one = snapshotAt(0, { swapInPages: 5 });
    expect(observed([one]).swapInPagesPerSecond).toBeUndefined();
    expect(observed([one, snapshotAt(61, { swapInPages: 50_000 })]).swapInPagesPerSecond).toBeUndefined();
    expect(observed([one, snapshotAt(1, { swapInPages: 4 })]).swapInPagesPerSecond).toBeUndefined();
  });

  test("is the mean over a time in which nobody could look", () => {
    const [first, last] = [snapshotAt(0, {}), snapshotAt(20, { swapInPages: 2000 })];
    expect(observed([first, last]).swapInPagesPerSecond).toBe(100);
  });
});

describe("memory pressure", () => {
  const stalled = { stallMicroseconds: 300_000 };

  test.each<[string, Moment, number, string | undefined]>([
    [
      "of memory that comes back from swap at once",
      { ...stalled, anonRefaults: 900 },
      0.3,
      "anonymous-refault",
    ],
    ["of memory that comes back from swap", { ...stalled, swapInPages: 900 }, 0.3, "swap-in"],
    [
      "of files that are read again and again",
      { ...stalled, fileRefaults: 5000, swapInPages: 90 },
      0,
      undefined,
    ],
    ["of memory that is swapped out and left there", { ...stalled, swapOutPages: 9000 }, 0, undefined],
    ["that has nothing to do with memory coming back", stalled, 0, undefined],
    ["that is none", { anonRefaults: 900, swapInPages: 900 }, 0, "anonymous-refault"],
  ])("%s", (_, each, pressure, cause) => {
    const { memoryPressure, pressureCause } = observed(steady(20, each));
    expect(memoryPressure).toBeCloseTo(pressure, 6);
    expect(pressureCause).toBe(cause as never);
  });

  test("of swap at its end counts, though nothing moves", () => {
    const { memoryPressure, pressureCause } = observed(
      steady(20, { stallMicroseconds: 790_000 }, { swapFreeBytes: MI }),
    );
    expect(memoryPressure).toBeCloseTo(0.79, 6);
    expect(pressureCause).toBe("swap-exhausted");
  });

  test.each([
    ["limits are used up", { swapBytes: 200 * MI, swapLimitBytes: 200 * MI }, "swap-exhausted"],
    ["limits leave room", { swapBytes: 100 * MI, swapLimitBytes: 200 * MI }, undefined],
    ["nothing is left to swap", { swapBytes: 100 * MI, swappableBytes: MI }, "swap-exhausted"],
    ["nobody may swap", { swapBytes: 0, swapLimitBytes: 0 }, undefined],
    ["nobody knows", { swapBytes: 200 * MI, swapLimitBytes: undefined }, undefined],
  ] as const)("is swap's doing where the node has swap, and pods' %s: %o", (_, differences, cause) => {
    const pods = [podOf("a")];
    const snapshots = [0, 1, 2, 3, 4, 5, 6].map((second) =>
      snapshotAt(second, { stallMicroseconds: second * 300_000 }, pods, [sampleOf("a", differences)]),
    );
    expect(observed(snapshots).pressureCause).toBe(cause);
  });

  test("of a spike is over with it", () => {
    const spike = steady(3, { stallMicroseconds: 1_000_000, swapInPages: 9000 });
    const after = steady(1, {}, { stallMicroseconds: 3_000_000, swapInPages: 27_000 }, 4);
    expect(observed([...spike, ...after.slice(0, 1)]).memoryPressure).toBeGreaterThan(0);
    expect(observed([...spike, ...after]).memoryPressure).toBe(0);
  });

  test("cannot be told where the kernel does not", () => {
    const without = steady(20, { swapInPages: 900 }).map((snapshot) => ({
      ...snapshot,
      kubepods: snapshot.kubepods && { ...snapshot.kubepods, memoryPressure: undefined },
    }));
    expect(observed(without).memoryPressure).toBeUndefined();
  });

  test("is never more than all of the time", () => {
    expect(observed(steady(20, { stallMicroseconds: 1_010_000, swapInPages: 900 })).memoryPressure).toBe(1);
  });
});

describe("what settles of the swapping", () => {
  /** A second a snapshot, in which a container lets so many pages go for good, and another one some that come back. */
  const coldFor = (seconds: number, thenHot = 0, moment: Moment = {}) =>
    Array.from({ length: seconds + thenHot + 1 }, (_, second) =>
      snapshotAt(
        second,
        moment,
        [],
        [
          sampleOf("cold", { swapBytes: Math.min(second, seconds) * 1000 * 4096 }),
          sampleOf("hot", { swapBytes: 100 * MI, anonRefaults: second * 3000 }),
        ],
      ),
    );

  test("is told of the last seconds", () => {
    expect(observed(coldFor(20)).swapSettling).toBeCloseTo(0.25, 6);
    expect(observed(coldFor(20, 4)).swapSettling).toBeGreaterThan(0);
    expect(observed(coldFor(20, 5)).swapSettling).toBe(0);
  });

  test("shows within two seconds that memory comes back and stays", () => {
    const spike = Array.from({ length: 12 }, (_, second) => {
      const returned = Math.max(0, second - 9) * 3000;
      const swapBytes = 100 * MI - returned * 4096;
      return snapshotAt(second, {}, [], [sampleOf("hot", { swapBytes, anonRefaults: second * 3000 })]);
    });
    expect(observed(spike.slice(0, 10)).swapSettling).toBe(0);
    expect(observed(spike).swapSettling).toBeCloseTo(1, 6);
  });

  test("is nothing where swap is at its end", () => {
    expect(observed(coldFor(20, 0, { swapFreeBytes: MI })).swapSettling).toBe(0);
  });

  test("cannot be told where containers are not looked at, or were not a moment ago", () => {
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
    // A sixteenth of 1000 pages goes, and 3000 come and go.
    expect(observed(large).swapSettling).toBeCloseTo(62.5 / 3062.5, 6);
  });
});
