import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { PodFigures } from "../../../src/policy/eviction/pod-figures.ts";
import {
  movingSharesOf,
  returnedShareOf,
  type SwapFlow,
  settlingShareOf,
  swapFlowsOf,
} from "../../../src/policy/eviction/swap-flow.ts";

const PAGE = 4096;

const flow = (inPages: number, outPages: number, grownPages = 0): SwapFlow => ({
  inPages,
  outPages,
  grownPages,
});

/** Returns the figures of a pod with so many pages in memory, in swap, and read back from swap. */
function figuresOf(memoryPages: number, swapPages = 0, anonRefaults = 0, pageBytes = PAGE): PodFigures {
  return {
    workingSetBytes: memoryPages * pageBytes,
    swapBytes: swapPages * pageBytes,
    swapCachedBytes: 0,
    anonRefaults,
    stallMicroseconds: undefined,
    ownLimitEvents: undefined,
  };
}

describe("a pod's flow", () => {
  test.each<[string, PodFigures | undefined, PodFigures, SwapFlow]>([
    ["nothing", figuresOf(100, 50, 7), figuresOf(100, 50, 7), flow(0, 0)],
    ["pages that go out and stay out", figuresOf(100, 50), figuresOf(60, 90), flow(0, 40, -40)],
    ["pages that come back as others go out", figuresOf(100, 50), figuresOf(100, 50, 30), flow(30, 30)],
    ["pages that only come back", figuresOf(100, 50), figuresOf(130, 20, 30), flow(30, 0, 30)],
    ["swap that is freed", figuresOf(100, 50), figuresOf(100, 0), flow(0, 0)],
    ["a counter that went back", figuresOf(100, 50, 30), figuresOf(100, 50, 10), flow(0, 0)],
    ["memory of a new pod", undefined, figuresOf(100, 50, 7), flow(0, 0, 100)],
  ])("has %s", (_, before, now, expected) => {
    const figures = (pages: PodFigures | undefined) =>
      new Map(pages === undefined ? [] : [["pod", pages] as const]);
    expect(swapFlowsOf(figures(before), figures(now), PAGE)).toEqual(new Map([["pod", expected]]));
  });

  test("is counted in the kernel's pages", () => {
    const flows = swapFlowsOf(
      new Map([["pod", figuresOf(100, 50, 0, 16 * PAGE)]]),
      new Map([["pod", figuresOf(90, 60, 5, 16 * PAGE)]]),
      16 * PAGE,
    );
    expect(flows.get("pod")).toEqual(flow(5, 15, -10));
  });
});

describe("the settling share", () => {
  test.each<[string, SwapFlow[], number]>([
    ["0 where nothing moves", [flow(0, 0)], 0],
    ["0 where pages come back as they go out", [flow(1000, 1000)], 0],
    ["0 where pages only come back", [flow(1000, 0, 1000)], 0],
    ["1 where idle memory makes room for a pod that grows", [flow(0, 1000, -1000), flow(0, 0, 1000)], 1],
    ["1 with a tenth that comes back", [flow(100, 1000, -900), flow(0, 0, 900)], 0.9],
    ["0 with more than a tenth that comes back", [flow(101, 1000, -899), flow(0, 0, 899)], 0],
    ["0 where nobody takes the room", [flow(0, 1000, -1000)], 0],
    ["0 where a pod grows into swap by itself: that does not end", [flow(0, 1000, 1000)], 0],
    ["limited by what the others take", [flow(0, 1000, -1000), flow(0, 0, 250)], 0.25],
    ["a part beside pages that come back", [flow(0, 1000, -1000), flow(3000, 3000, 1000)], 0.25],
  ])("is %s", (_, flows, expected) => {
    expect(settlingShareOf(flows)).toBeCloseTo(expected, 9);
    expect(settlingShareOf(flows.toReversed())).toBeCloseTo(expected, 9);
  });
});

describe("the returned share", () => {
  test.each<[string, SwapFlow[], number]>([
    ["0 where nothing moves", [], 0],
    ["0 where pages only go out", [flow(0, 1000)], 0],
    ["1 where pages only come back", [flow(1, 0)], 1],
    ["1 where more comes back than goes out", [flow(2000, 1000)], 1],
    ["that of all pods together", [flow(0, 3000), flow(1000, 1000)], 0.25],
  ])("is %s", (_, flows, expected) => expect(returnedShareOf(flows)).toBeCloseTo(expected, 9));
});

describe("a pod's share of the movement", () => {
  const shares = (before: Record<string, PodFigures> | undefined, now: Record<string, PodFigures>) =>
    Object.fromEntries(
      movingSharesOf(before && new Map(Object.entries(before)), new Map(Object.entries(now)), PAGE),
    );

  test("counts what comes back, and what it newly uses in memory and swap", () => {
    const before = { hot: figuresOf(100, 50), growing: figuresOf(100), into: figuresOf(100) };
    const now = { hot: figuresOf(100, 50, 60), growing: figuresOf(120), into: figuresOf(100, 20) };
    expect(shares(before, now)).toEqual({ hot: 0.6, growing: 0.2, into: 0.2 });
  });

  test("does not count what is only swapped out", () => {
    const before = { cold: figuresOf(1000), hot: figuresOf(10, 10) };
    expect(shares(before, { cold: figuresOf(10, 990), hot: figuresOf(10, 10, 1) })).toEqual({
      cold: 0,
      hot: 1,
    });
  });

  test("of a new pod is its memory", () => {
    expect(shares({ old: figuresOf(50) }, { old: figuresOf(60), new: figuresOf(30) })).toEqual({
      old: 0.25,
      new: 0.75,
    });
  });

  test("is 0 where nothing moves, and unknown without earlier figures", () => {
    expect(shares({ pod: figuresOf(50) }, { pod: figuresOf(50) })).toEqual({ pod: 0 });
    expect(shares(undefined, { pod: figuresOf(50) })).toEqual({});
  });
});

const pages = fc.nat({ max: 10_000 });
const anyFlow = fc.record({
  inPages: pages,
  outPages: pages,
  grownPages: fc.integer({ min: -10_000, max: 10_000 }),
});

test("in any scenario, shares are between 0 and 1", () => {
  fc.assert(
    fc.property(fc.array(anyFlow), (flows) => {
      for (const share of [settlingShareOf(flows), returnedShareOf(flows)]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test("in any scenario, the shares of the movement add up to 1, or to 0 where nothing moves", () => {
  const figures = fc
    .tuple(pages, pages, pages)
    .map(([memory, swap, refaults]) => figuresOf(memory, swap, refaults));
  fc.assert(
    fc.property(fc.array(fc.tuple(figures, figures)), (pods) => {
      const at = (moment: 0 | 1) =>
        new Map(pods.map((pair, index) => [String(index), pair[moment]] as const));
      const all = [...movingSharesOf(at(0), at(1), PAGE).values()];
      const sum = all.reduce((total, share) => total + share, 0);
      expect(Math.abs(sum) < 1e-9 || Math.abs(sum - 1) < 1e-9).toBeTrue();
      for (const share of all) expect(share).toBeGreaterThanOrEqual(0);
    }),
  );
});
