import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { swapSettledShare } from "../../../src/policy/eviction/swap-churn.ts";
import { sampleOf } from "./snapshots.ts";

const PAGE = 4096;

/** What a container's swap grows by, and what comes back of it, in pages. */
interface Swapping {
  readonly grown: number;
  readonly cameBack: number;
}

/** How much settles while containers swap so; each has had some swap and some refaults before. */
function settling(containers: readonly Swapping[], pageBytes = PAGE): number {
  const sample = (index: number, swapPages: number, anonRefaults: number) =>
    sampleOf(`container-${index}`, { swapBytes: swapPages * pageBytes, anonRefaults });
  return swapSettledShare(
    containers.map((_, index) => sample(index, 100_000, 5000)),
    containers.map(({ grown, cameBack }, index) => sample(index, 100_000 + grown, 5000 + cameBack)),
    pageBytes,
  );
}

describe("what settles", () => {
  test.each<[string, Swapping[], number]>([
    ["all that is swapped out and left there", [{ grown: 1000, cameBack: 0 }], 1],
    ["all that comes back without anything going out for it", [{ grown: -1000, cameBack: 1000 }], 1],
    ["all that comes back while the rest of the swap is freed", [{ grown: -5000, cameBack: 1000 }], 1],
    ["nothing of what comes back as it went out", [{ grown: 0, cameBack: 1000 }], 0],
    ["nothing where nothing moves", [{ grown: 0, cameBack: 0 }], 0],
    ["nothing of who grows and uses what it has", [{ grown: 1000, cameBack: 500 }], 0],
    // It lets 1000 pages go, for good, of 4000 that go altogether.
    [
      "a part, where one is cold and another one is hot",
      [
        { grown: 1000, cameBack: 0 },
        { grown: 0, cameBack: 3000 },
      ],
      0.25,
    ],
    // All 400 that come back to one of them stay, and 2000 do not.
    [
      "a part, where one has room and another one has not",
      [
        { grown: -400, cameBack: 400 },
        { grown: 0, cameBack: 2000 },
      ],
      1 / 6,
    ],
  ])("is %s", (_, containers, expected) => {
    expect(settling(containers)).toBeCloseTo(expected, 9);
    expect(settling(containers, 16 * PAGE)).toBeCloseTo(expected, 9);
  });

  test("is told of containers alone that were there before", () => {
    const cold = sampleOf("new", { swapBytes: 1000 * PAGE });
    expect(swapSettledShare([], [cold], PAGE)).toBe(0);
    expect(swapSettledShare([cold], [], PAGE)).toBe(0);
  });
});

const pages = fc.nat({ max: 10_000 });

test("what settles is a part, whatever happens", () => {
  const swapping = fc.record({ grown: fc.integer({ min: -100_000, max: 100_000 }), cameBack: pages });
  fc.assert(
    fc.property(fc.array(swapping), (containers) => {
      const part = settling(containers);
      expect(part).toBeGreaterThanOrEqual(0);
      expect(part).toBeLessThanOrEqual(1);
    }),
  );
});

test("the more comes back while swap grows as before, the less settles", () => {
  const growing = fc.record({ grown: pages, cameBack: pages, more: pages });
  fc.assert(
    fc.property(fc.array(growing), (containers) => {
      const harder = containers.map(({ grown, cameBack, more }) => ({ grown, cameBack: cameBack + more }));
      expect(settling(harder)).toBeLessThanOrEqual(settling(containers) + 1e-9);
    }),
  );
});
