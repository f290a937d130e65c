import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { SwapSize } from "../../../src/install/engine/options.ts";
import { isRequestedSize, overcommitPercent, sizingOf } from "../../../src/install/swap/size.ts";

const MI = 1024 ** 2;
const GI = 1024 ** 3;
const bytes = (size: number): SwapSize => ({ kind: "bytes", bytes: size });
const overcommit = (percent: number): SwapSize => ({ kind: "overcommit", percent });

describe("the size of swap", () => {
  test.each<[SwapSize, number, number, string]>([
    [bytes(8 * GI), 64 * GI, 8 * GI, "8 GiB of swap, as requested"],
    [overcommit(150), 64 * GI, 32 * GI, "64 GiB of memory * (150% / 100% - 1) = 32 GiB of swap"],
    [overcommit(200), 16 * GI, 16 * GI, "16 GiB of memory * (200% / 100% - 1) = 16 GiB of swap"],
    // Whole mebibytes, although MemTotal rarely is one.
    [overcommit(150), 3 * MI, MI, "3 MiB of memory * (150% / 100% - 1) = 1 MiB of swap"],
    [overcommit(101), 50 * MI, 0, "50 MiB of memory * (101% / 100% - 1) = 0 B of swap"],
  ])("%j on %d bytes of memory", (size, memory, swap, arithmetic) => {
    expect(sizingOf(size, memory)).toEqual({ bytes: swap, arithmetic });
  });

  test("gives pods the requested share of memory, to within a percent", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 101, max: 1000 }),
        fc.integer({ min: 1, max: 4096 }),
        (percent, gibis) => {
          const memory = gibis * GI;
          const given = overcommitPercent(sizingOf(overcommit(percent), memory).bytes, memory);
          expect(given).toBeWithin(percent - 1, percent + 1);
        },
      ),
    );
  });
});

test.each<[string, number, SwapSize, boolean]>([
  ["the size itself", 8 * GI, bytes(8 * GI), true],
  ["less than a fixed size", 8 * GI - MI, bytes(8 * GI), false],
  ["more than a fixed size", 16 * GI, bytes(8 * GI), false],
  ["a percentage, with a kernel that leaves less memory", 8 * GI, overcommit(150), true],
  ["nearly a percentage", 8600 * MI, overcommit(150), true],
  ["another percentage", 16 * GI, overcommit(150), false],
])("%s: %d bytes for %j", (_, swap, size, isRequested) => {
  expect(isRequestedSize(swap, size, 16 * GI - 60 * MI)).toBe(isRequested);
});
