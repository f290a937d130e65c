import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { invertOomScoreAdj } from "../../../src/policy/limits/oom-score-adj.ts";
import { kubeletOomScoreAdj } from "../../node/kubelet.ts";

const GI = 2 ** 30;
const capacityBytes = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 20 }),
  fc.maxSafeInteger().map((n) => Math.max(1, Math.abs(n))),
  fc.integer({ min: 1, max: 4 * 2 ** 30 }).map((kibibytes) => kibibytes * 1024),
);
const capacityAndRequest = capacityBytes.chain((capacity) =>
  fc.tuple(
    fc.constant(capacity),
    fc.maxSafeInteger().map((n) => Math.abs(n) % (capacity + 1)),
  ),
);

describe("inverting oom_score_adj", () => {
  test("the interval contains the request", () => {
    fc.assert(
      fc.property(capacityAndRequest, ([capacity, request]) => {
        const interval = invertOomScoreAdj(kubeletOomScoreAdj(request, capacity), capacity);
        expect(interval?.lowBytes).toBeLessThanOrEqual(request);
        expect(interval?.highBytes).toBeGreaterThanOrEqual(request);
      }),
      { numRuns: 20_000 },
    );
  });

  test("both ends have this oom_score_adj, and their neighbors outside do not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 999 }),
        fc.integer({ min: 1_000_000, max: Number.MAX_SAFE_INTEGER }),
        (adj, capacity) => {
          const { lowBytes, highBytes } = invertOomScoreAdj(adj, capacity) ?? { lowBytes: -1, highBytes: -1 };
          expect(kubeletOomScoreAdj(lowBytes, capacity)).toBe(adj);
          expect(kubeletOomScoreAdj(highBytes, capacity)).toBe(adj);
          if (lowBytes > 0) expect(kubeletOomScoreAdj(lowBytes - 1, capacity)).toBeGreaterThan(adj);
          if (highBytes < capacity) expect(kubeletOomScoreAdj(highBytes + 1, capacity)).toBeLessThan(adj);
        },
      ),
      { numRuns: 20_000 },
    );
  });

  // facts of a 64 GiB node
  test.each([
    [985, { lowBytes: 1_030_792_152, highBytes: 1_099_511_627 }],
    [999, { lowBytes: 0, highBytes: 137_438_953 }],
    [3, { lowBytes: 68_513_318_306, highBytes: 64 * GI }],
  ])("%d on a node of 64 GiB", (adj, interval) => {
    expect(invertOomScoreAdj(adj, 64 * GI)).toEqual(interval);
  });

  test.each([-997, -998, 0, 2, 1000, 500.5, Number.NaN])("%d is no Burstable container's", (adj) => {
    expect(invertOomScoreAdj(adj, 64 * GI)).toBeUndefined();
  });
});
