import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { swapSettledShare } from "../../../src/policy/eviction/swap-churn.ts";
import { sampleOf } from "./snapshots.ts";

const PAGE = 4096;

/** Growth of a container's swap, and its swap-in, in pages. */
interface Swapping {
  readonly grown: number;
  readonly cameBack: number;
}

/** Returns the settled share while containers swap like this; each has some swap and some refaults before. */
function settling(containers: readonly Swapping[], pageBytes = PAGE): number {
  const sample = (index: number, swapPages: number, anonRefaults: number) =>
    sampleOf(`container-${index}`, { swapBytes: swapPages * pageBytes, anonRefaults });
  return swapSettledShare(
    containers.map((_, index) => sample(index, 100_000, 5000)),
    containers.map(({ grown, cameBack }, index) => sample(index, 100_000 + grown, 5000 + cameBack)),
    pageBytes,
  );
}

describe("the settled share", () => {
  test.each<[string, Swapping[], number]>([
    ["1 where all is swapped out and stays out", [{ grown: 1000, cameBack: 0 }], 1],
    ["1 where all comes back and nothing is swapped out for it", [{ grown: -1000, cameBack: 1000 }], 1],
    ["1 where all comes back while the rest of the swap is freed", [{ grown: -5000, cameBack: 1000 }], 1],
    ["0 where pages come back as they went out", [{ grown: 0, cameBack: 1000 }], 0],
    ["0 where nothing moves", [{ grown: 0, cameBack: 0 }], 0],
    ["0 where a container grows and uses all of its memory", [{ grown: 1000, cameBack: 500 }], 0],
    // 1000 of 4000 pages are swapped out and stay out.
    [
      "a part, with a cold container and a hot one",
      [
        { grown: 1000, cameBack: 0 },
        { grown: 0, cameBack: 3000 },
      ],
      0.25,
    ],
    // All 400 pages of one container stay in, and 2000 of the other do not.
    [
      "a part, with room for one container and none for another",
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

  test("covers only containers that are in both samples", () => {
    const cold = sampleOf("new", { swapBytes: 1000 * PAGE });
    expect(swapSettledShare([], [cold], PAGE)).toBe(0);
    expect(swapSettledShare([cold], [], PAGE)).toBe(0);
  });
});

const pages = fc.nat({ max: 10_000 });

test("the settled share is between 0 and 1 in any scenario", () => {
  const swapping = fc.record({ grown: fc.integer({ min: -100_000, max: 100_000 }), cameBack: pages });
  fc.assert(
    fc.property(fc.array(swapping), (containers) => {
      const part = settling(containers);
      expect(part).toBeGreaterThanOrEqual(0);
      expect(part).toBeLessThanOrEqual(1);
    }),
  );
});

test("more swap-in at the same growth of swap gives a lower settled share", () => {
  const growing = fc.record({ grown: pages, cameBack: pages, more: pages });
  fc.assert(
    fc.property(fc.array(growing), (containers) => {
      const harder = containers.map(({ grown, cameBack, more }) => ({ grown, cameBack: cameBack + more }));
      expect(settling(harder)).toBeLessThanOrEqual(settling(containers) + 1e-9);
    }),
  );
});
