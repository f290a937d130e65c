import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { relievingOf } from "../../../src/policy/eviction/relief.ts";
import type { PressureCause } from "../../../src/policy/eviction/signals.ts";
import type { Candidate } from "../../../src/policy/eviction/victim.ts";
import { GI, MI, podOf, snapshotAt } from "./snapshots.ts";

/** Node whose pods may have 3 GiB together, and that is short of memory. */
const NODE = snapshotAt(0, { memoryAvailableBytes: 100 * MI });
const SHARED_BYTES = 3 * GI;

/** Returns a candidate that uses 200 MiB, all in memory, of a request of 300 MiB, and moves nothing. */
function candidateOf(
  uid: string,
  differences: Partial<Omit<Candidate, "pod" | "isOverRequest">> = {},
): Candidate {
  const base = { usageBytes: 200 * MI, workingSetBytes: 200 * MI, requestBytes: 300 * MI, ...differences };
  return {
    ...{ pod: podOf(uid), isOverLimit: false, overLimitBytes: 0, movingShare: 0 },
    ...base,
    isOverRequest: base.usageBytes !== undefined && base.usageBytes > base.requestBytes,
  };
}

const over = (excessBytes: number, differences: Parameters<typeof candidateOf>[1] = {}) => ({
  usageBytes: 300 * MI + excessBytes,
  workingSetBytes: 300 * MI + excessBytes,
  ...differences,
});

/** Returns the UIDs of those that would relieve. */
const relieving = (
  pods: Readonly<Record<string, Parameters<typeof candidateOf>[1]>>,
  cause: PressureCause = "anonymous-refault",
  node = NODE,
) =>
  relievingOf(
    Object.entries(pods).map(([uid, differences]) => candidateOf(uid, differences)),
    node,
    cause,
  ).map(({ pod }) => pod.uid);

describe("the end of a pod relieves the others", () => {
  test.each<[string, Parameters<typeof relieving>[0], readonly string[]]>([
    ["by a substantial part of what moves", { a: { movingShare: 0.15 }, b: { movingShare: 0.149 } }, ["a"]],
    [
      "by a substantial excess over its requests",
      { a: over(0.1 * SHARED_BYTES), b: over(0.1 * SHARED_BYTES - 1) },
      ["a"],
    ],
    ["if nobody exceeds them, also within its requests", { a: { movingShare: 0.9 } }, ["a"]],
    [
      "but not within its requests beside one that exceeds them",
      { a: { movingShare: 0.6 }, b: over(1, { movingShare: 0.3 }) },
      ["b"],
    ],
    [
      "but not if another within its requests exceeds none",
      { a: { movingShare: 0.6 }, b: over(1, { movingShare: 0.1 }) },
      ["a"],
    ],
    [
      "unless it is far weaker than the strongest",
      { a: over(2.5 * GI), b: over(1.01 * GI), c: over(0.99 * GI) },
      ["a", "b"],
    ],
    [
      "not by what moves of a small pod whose memory a large one displaces",
      { small: over(5 * MI, { movingShare: 0.95 }), quiet: over(GI) },
      ["quiet"],
    ],
    [
      "not by holding alone, beside one that holds comparably much and moves",
      { quiet: over(1.2 * GI), moving: over(0.6 * GI, { movingShare: 0.9 }) },
      ["moving"],
    ],
    [
      "not by cold memory that is in swap, beside one whose pages come back",
      { cold: over(2 * GI, { workingSetBytes: 250 * MI }), busy: over(0.4 * GI, { movingShare: 0.9 }) },
      ["busy"],
    ],
    [
      "in the scale of the strongest by movement, where none holds much beyond its requests",
      {
        a: over(1, { movingShare: 0.75 }),
        b: over(1, { movingShare: 0.31 }),
        c: over(1, { movingShare: 0.29 }),
      },
      ["a", "b"],
    ],
    [
      "unless its memory is too small for that",
      { a: { movingShare: 0.9, workingSetBytes: 0.03 * SHARED_BYTES - 1 } },
      [],
    ],
    ["down to that size", { a: { movingShare: 0.9, workingSetBytes: 0.03 * SHARED_BYTES } }, ["a"]],
    ["unless it is quiet within its requests", { a: {}, b: {} }, []],
    [
      "unless its figures are unknown",
      { a: { usageBytes: undefined, workingSetBytes: undefined, movingShare: 0.9 } },
      [],
    ],
    [
      "not with a hundred pods alike, each of which has too little",
      Object.fromEntries(
        Array.from({ length: 100 }, (_, index) => [String(index), over(5 * MI, { movingShare: 0.01 })]),
      ),
      [],
    ],
  ])("%s", (_, pods, expected) => expect(relieving(pods)).toEqual([...expected]));

  test("by what it moves, where memory is not short and it stalls in a limit of its own", () => {
    const pods = { bounded: over(100 * MI, { movingShare: 0.95 }), quiet: over(GI) };
    expect(relieving(pods, "anonymous-refault", snapshotAt(0, {}))).toEqual(["bounded"]);
    expect(relieving(pods)).toEqual(["quiet"]);
  });

  test("by what it has in swap only where swap is full", () => {
    const swapped = { a: over(1.5 * GI, { workingSetBytes: MI }) };
    expect(relieving(swapped, "swap-exhausted")).toEqual(["a"]);
    for (const cause of ["anonymous-refault", "swap-in", "swap-out"] as const)
      expect(relieving(swapped, cause)).toEqual([]);
  });

  test("decoys of 1 MiB beside a hog never count", () => {
    const decoys = Object.fromEntries(
      Array.from({ length: 8 }, (_, index) => [
        `decoy-${index}`,
        { usageBytes: MI, workingSetBytes: MI, requestBytes: 0 },
      ]),
    );
    expect(relieving({ ...decoys, hog: over(GI) })).toEqual(["hog"]);
  });
});

test("in any scenario, each that relieves is substantial, in the order given, and the strongest of those over their requests is among them", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const drawn = fc.record({
    movingShare: share,
    usageBytes: fc.integer({ min: 0, max: 3 * GI }),
    requestBytes: fc.integer({ min: 0, max: GI }),
    inMemory: share,
  });
  fc.assert(
    fc.property(fc.array(drawn, { maxLength: 10 }), (pods) => {
      const candidates = pods.map(({ inMemory, ...figures }, index) =>
        candidateOf(String(index), { ...figures, workingSetBytes: figures.usageBytes * inMemory }),
      );
      const relieved = relievingOf(candidates, NODE, "swap-in");
      expect(relieved).toEqual(candidates.filter((candidate) => relieved.includes(candidate)));
      const excess = ({ usageBytes = 0, requestBytes }: Candidate) =>
        (usageBytes - requestBytes) / SHARED_BYTES;
      for (const candidate of relieved) {
        expect(candidate.workingSetBytes).toBeGreaterThanOrEqual(0.03 * SHARED_BYTES);
        expect(candidate.movingShare >= 0.15 || excess(candidate) >= 0.1 - 1e-9).toBeTrue();
      }
      const isMixed = new Set(relieved.map(({ isOverRequest }) => isOverRequest)).size > 1;
      expect(isMixed).toBeFalse();
    }),
  );
});
