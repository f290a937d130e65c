import { describe, expect, test } from "bun:test";
import { isMemoryAmple, isMemoryShort, sharedMemoryBytes } from "../../../src/policy/eviction/shortage.ts";
import type { KubepodsSample, Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { GI, MI, sampleOf, snapshotAt } from "./snapshots.ts";

/** Returns a snapshot of a node of 4 GiB with these differences of kubepods, which may have 3 GiB; undefined for none. */
function nodeWith(memoryAvailableBytes: number, differences?: Partial<KubepodsSample>): Snapshot {
  const snapshot = snapshotAt(0, { memoryAvailableBytes });
  const limits = {
    memoryMaxBytes: 3 * GI,
    memoryHighBytes: Number.POSITIVE_INFINITY,
    memoryPressure: undefined,
  };
  return { ...snapshot, kubepods: differences && { ...sampleOf("kubepods"), ...limits, ...differences } };
}

const LEFT = 0.03 * 3 * GI;

describe("memory is short", () => {
  test.each<[string, Snapshot, boolean]>([
    ["below a twenty-fifth of the node", nodeWith(0.04 * 4 * GI), true],
    ["not above that", nodeWith(0.04 * 4 * GI + 1), false],
    ["of a node without memory, which is none", nodeWith(Number.NaN), false],
    ["near the limit of kubepods", nodeWith(2 * GI, { memoryBytes: 3 * GI - LEFT }), true],
    ["not further from it", nodeWith(2 * GI, { memoryBytes: 3 * GI - LEFT - 1 }), false],
    [
      "near memory.high of kubepods",
      nodeWith(2 * GI, { memoryHighBytes: GI, memoryBytes: 0.971 * GI }),
      true,
    ],
    [
      "not where inactive page cache fills it",
      nodeWith(2 * GI, { memoryBytes: 3 * GI, inactiveFileBytes: LEFT + 1 }),
      false,
    ],
    ["above the limit", nodeWith(2 * GI, { memoryHighBytes: GI, memoryBytes: 2 * GI }), true],
    [
      "never of kubepods without a limit",
      nodeWith(2 * GI, { memoryMaxBytes: Number.POSITIVE_INFINITY, memoryBytes: 100 * GI }),
      false,
    ],
    ["never of kubepods whose limit is 0", nodeWith(2 * GI, { memoryMaxBytes: 0, memoryBytes: MI }), false],
  ])("%s", (_, snapshot, expected) => {
    expect(isMemoryShort(snapshot)).toBe(expected);
    if (expected) expect(isMemoryAmple(snapshot)).toBeFalse();
  });

  test("is over at once with a tenth of both free", () => {
    expect(isMemoryAmple(nodeWith(0.4 * GI))).toBeTrue();
    expect(isMemoryAmple(nodeWith(0.4 * GI - MI))).toBeFalse();
    expect(isMemoryAmple(nodeWith(2 * GI, { memoryHighBytes: GI, memoryBytes: 0.89 * GI }))).toBeTrue();
    expect(isMemoryAmple(nodeWith(2 * GI, { memoryHighBytes: GI, memoryBytes: 0.91 * GI }))).toBeFalse();
  });
});

test("the memory that pods share is the least of their limits and the node's", () => {
  expect(sharedMemoryBytes(nodeWith(GI, {}))).toBe(3 * GI);
  expect(sharedMemoryBytes(nodeWith(GI, { memoryHighBytes: 2 * GI }))).toBe(2 * GI);
  expect(sharedMemoryBytes(nodeWith(GI, { memoryMaxBytes: 9 * GI }))).toBe(4 * GI);
  expect(sharedMemoryBytes(nodeWith(GI))).toBe(4 * GI);
});
