import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { VictimConfig } from "../../../src/policy/eviction/never-evicted.ts";
import type { ContainerSample } from "../../../src/policy/eviction/snapshot.ts";
import { rankingReason, rankVictims } from "../../../src/policy/eviction/victim.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

const config: VictimConfig = {
  excludeNamespaces: ["kube-system", "openshift*"],
  ownPodUid: "wasp",
  evictionOptOut: "WithinRequests",
  evictionOptOutNamespaces: ["*"],
};

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
  const before = snapshotAt(0, {}, pods, [sampleOf("a"), sampleOf("b")]);
  const ranking = rankVictims(snapshotAt(10, {}, pods, containers), before, config);
  return ranking[0]?.pod.uid;
}

function limited(memoryLimitBytes: number): Partial<Pod> {
  return { containers: [{ name: "app", id: "b", memoryRequestBytes: 100 * MI, memoryLimitBytes }] };
}

describe("the first victim", () => {
  test("is over a memory limit, before one that is further over its requests", () => {
    expect(first([{}, { memoryBytes: 900 * MI }], [limited(150 * MI), { memoryBytes: 160 * MI }])).toBe("b");
  });

  test("may be over its limit because of its swap", () => {
    const sample = { memoryBytes: 140 * MI, swapBytes: 20 * MI };
    expect(first([{}, { memoryBytes: 900 * MI }], [limited(150 * MI), sample])).toBe("b");
    expect(first([{}, { memoryBytes: 900 * MI }], [limited(160 * MI), sample])).toBe("a");
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

  test("has the larger share of the swap-in, of two equal pods", () => {
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
        rankVictims(snapshotAt(0, {}, list, samples), undefined, config).map(({ pod: { uid } }) => uid);
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
    "above its limit, with swap-in",
    { containers: LIMITED },
    { memoryBytes: 150 * MI, swapBytes: 62 * MI, anonRefaults: 30 },
    "over its memory limit by 12 MiB, over its requests by 112 MiB, priority 0, 75 % of the swap-in",
  ],
  ["without samples", {}, undefined, "no figures"],
])("the reason of a ranking describes a pod %s", (_, differences, sample, reason) => {
  const pods = [podOf("a", differences), podOf("b")];
  const containers = [
    ...(sample === undefined ? [] : [sampleOf("a", sample)]),
    sampleOf("b", { anonRefaults: sample?.anonRefaults === undefined ? 0 : 10 }),
  ];
  const ranking = rankVictims(snapshotAt(0, {}, pods, containers), undefined, config);
  const [candidate] = ranking.filter(({ pod }) => pod.uid === "a");
  expect(candidate && rankingReason(candidate)).toBe(reason);
});
