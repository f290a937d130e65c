import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { podFiguresOf } from "../../../src/policy/eviction/pod-figures.ts";
import type { ContainerSample } from "../../../src/policy/eviction/snapshot.ts";
import { candidatesOf, rankCandidates, rankingReason } from "../../../src/policy/eviction/victim.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

/** Ranks pods a and b with these differences, and returns the UID of the first. */
function first(
  [a, sampleA]: [Partial<Pod>, Partial<ContainerSample> | undefined],
  [b, sampleB]: [Partial<Pod>, Partial<ContainerSample> | undefined],
): string | undefined {
  const pods = [podOf("a", a), podOf("b", b)];
  const samples = [
    ["a", sampleA],
    ["b", sampleB],
  ] as const;
  const containers = samples.flatMap(([uid, sample]) =>
    sample === undefined ? [] : [sampleOf(uid, sample)],
  );
  const before = podFiguresOf(snapshotAt(0, {}, pods, [sampleOf("a"), sampleOf("b")]));
  const candidates = candidatesOf(snapshotAt(10, {}, pods, containers), { atSeconds: 0, pods: before });
  return rankCandidates(candidates)[0]?.pod.uid;
}

function limited(memoryLimitBytes: number): Partial<Pod> {
  return { containers: [{ name: "app", id: "b", memoryRequestBytes: 100 * MI, memoryLimitBytes }] };
}

describe("the first victim", () => {
  test("is over a memory limit, before one that is further over its requests", () => {
    expect(
      first(
        [{}, { memoryBytes: 900 * MI }],
        [limited(150 * MI), { memoryBytes: 160 * MI, swapLimitBytes: 0 }],
      ),
    ).toBe("b");
  });

  test("may be over its limit because of its swap, but not of swap that it was granted", () => {
    const sample = { memoryBytes: 140 * MI, swapBytes: 20 * MI };
    const overGranted = (swapLimitBytes: number | undefined) =>
      first([{}, { memoryBytes: 900 * MI }], [limited(150 * MI), { ...sample, swapLimitBytes }]) === "b";
    // The pod uses 10 MiB of swap above its limit.
    expect(overGranted(0)).toBeTrue();
    expect(overGranted(9 * MI)).toBeTrue();
    expect(overGranted(10 * MI)).toBeFalse();
    expect(overGranted(20 * MI)).toBeFalse();
    expect(overGranted(Number.POSITIVE_INFINITY)).toBeFalse();
    expect(overGranted(undefined)).toBeFalse();
  });

  test("is over its requests, before one of lower priority", () => {
    expect(first([{ priority: -5 }, { memoryBytes: 90 * MI }], [{}, { memoryBytes: 101 * MI }])).toBe("b");
  });

  test("has the lower priority, before one of larger usage", () => {
    expect(first([{ priority: 1 }, { memoryBytes: 900 * MI }], [{}, { memoryBytes: 101 * MI }])).toBe("b");
    const unset = { priority: undefined };
    expect(first([{ priority: 1 }, { memoryBytes: 900 * MI }], [unset, { memoryBytes: 101 * MI }])).toBe("b");
  });

  test("has the larger usage relative to requests, with swap and without inactive page cache", () => {
    const cache = { memoryBytes: 900 * MI, inactiveFileBytes: 800 * MI };
    expect(first([{}, cache], [{}, { memoryBytes: 101 * MI }])).toBe("b");
    expect(first([{}, { memoryBytes: 120 * MI }], [{}, { memoryBytes: 90 * MI, swapBytes: 31 * MI }])).toBe(
      "b",
    );
  });

  test("has the larger usage, where pages that are in memory and in swap count once", () => {
    const cached = { memoryBytes: 120 * MI, swapBytes: 40 * MI, swapCachedBytes: 40 * MI };
    expect(first([{}, cached], [{}, { memoryBytes: 121 * MI }])).toBe("b");
    expect(first([{}, { ...cached, swapCachedBytes: 0 }], [{}, { memoryBytes: 121 * MI }])).toBe("a");
  });

  test("has the larger share of what moves, of two equal pods", () => {
    expect(first([{}, { anonRefaults: 5 }], [{}, { anonRefaults: 6 }])).toBe("b");
  });

  test("never lacks samples", () => {
    expect(first([{ priority: -100 }, undefined], [{}, { memoryBytes: 1 }])).toBe("b");
  });

  test("is deterministic: the first by name", () => {
    expect(first([{ namespace: "z" }, {}], [{}, {}])).toBe("b");
    expect(first([{ name: "z" }, {}], [{}, {}])).toBe("b");
    expect(first([{}, {}], [{}, {}])).toBe("a");
  });

  test("is ranked by its requests in a sandbox too, whose cgroup is none of its containers'", () => {
    const within = { id: "sandbox", podUid: "a", memoryBytes: 90 * MI };
    expect(first([{ priority: -5 }, within], [{}, { memoryBytes: 101 * MI }])).toBe("b");
    expect(first([{}, { ...within, memoryBytes: 110 * MI }], [{}, { memoryBytes: 101 * MI }])).toBe("a");
  });

  test("is not ranked by requests of completed init containers", () => {
    const containers = [
      { name: "app", id: "b", memoryRequestBytes: 100 * MI, memoryLimitBytes: undefined },
      { name: "init", id: "done", memoryRequestBytes: 500 * MI, memoryLimitBytes: undefined },
    ];
    expect(first([{}, { memoryBytes: 110 * MI }], [{ containers }, { memoryBytes: 120 * MI }])).toBe("b");
  });
});

test("a ranking does not depend on the order of the pods", () => {
  const pod = fc.record({
    priority: fc.integer({ min: -1, max: 1 }),
    memoryBytes: fc.constantFrom(50 * MI, 150 * MI),
    swapBytes: fc.constantFrom(0, 60 * MI),
    anonRefaults: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(pod, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (drawn, shuffle) => {
      const pods = drawn.map(({ priority }, index) => podOf(`pod-${index}`, { priority }));
      const samples = drawn.map(({ priority: _, ...sample }, index) => sampleOf(`pod-${index}`, sample));
      const names = (list: readonly Pod[]) =>
        rankCandidates(candidatesOf(snapshotAt(0, {}, list, samples), undefined)).map(
          ({ pod: { uid } }) => uid,
        );
      const shuffled = pods
        .map((one) => [shuffle.next().value ?? 0, one] as const)
        .sort(([a], [b]) => a - b)
        .map(([, one]) => one);
      expect(names(shuffled)).toEqual(names(pods));
    }),
  );
});

const LIMITED = [{ name: "app", id: "a", memoryRequestBytes: 100 * MI, memoryLimitBytes: 200 * MI }];

test.each<[string, Partial<Pod>, Partial<ContainerSample> | undefined, string]>([
  ["below its requests", {}, {}, "under its requests by 50 MiB, priority 0"],
  ["above its requests", {}, { swapBytes: 90 * MI }, "over its requests by 40 MiB, priority 0"],
  ["with a priority", { priority: 1000 }, {}, "under its requests by 50 MiB, priority 1000"],
  ["without a known priority", { priority: undefined }, {}, "under its requests by 50 MiB, priority 0"],
  [
    "above its limit by swap that it was not granted, with movement",
    { containers: LIMITED },
    { memoryBytes: 50 * MI, swapBytes: 162 * MI, swapLimitBytes: 0, anonRefaults: 3 * 41_472 },
    "over its memory limit by 12 MiB, over its requests by 112 MiB, priority 0, 75 % of what moves",
  ],
  [
    "above its limit by swap that it was granted",
    { containers: LIMITED },
    { memoryBytes: 150 * MI, swapBytes: 62 * MI },
    "over its requests by 112 MiB, priority 0",
  ],
  ["without samples", {}, undefined, "no figures"],
])("the reason of a ranking describes a pod %s", (_, differences, sample, reason) => {
  const pods = [podOf("a", differences), podOf("b")];
  const isMoving = sample?.anonRefaults !== undefined;
  const before = isMoving
    ? {
        atSeconds: 0,
        pods: podFiguresOf(
          snapshotAt(0, {}, pods, [sampleOf("a", { ...sample, anonRefaults: 0 }), sampleOf("b")]),
        ),
      }
    : undefined;
  const containers = [
    ...(sample === undefined ? [] : [sampleOf("a", sample)]),
    sampleOf("b", { anonRefaults: isMoving ? 41_472 : 0 }),
  ];
  const candidate = candidatesOf(snapshotAt(10, {}, pods, containers), before).find(
    ({ pod }) => pod.uid === "a",
  );
  expect(candidate && rankingReason(candidate)).toBe(reason);
});
