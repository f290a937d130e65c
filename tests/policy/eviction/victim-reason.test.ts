import { expect, test } from "bun:test";
import type { ContainerSample } from "../../../src/policy/eviction/snapshot.ts";
import { rankingReason, rankVictims } from "../../../src/policy/eviction/victim.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

const LIMITED = [{ name: "app", id: "a", memoryRequestBytes: 100 * MI, memoryLimitBytes: 200 * MI }];

test.each<[string, Partial<Pod>, Partial<ContainerSample> | undefined, string]>([
  ["who uses less than it asked for", {}, {}, "under its requests by 50 MiB, priority 0"],
  ["who uses more", {}, { swapBytes: 90 * MI }, "over its requests by 40 MiB, priority 0"],
  ["who has a priority", { priority: 1000 }, {}, "under its requests by 50 MiB, priority 1000"],
  ["whose priority is not known", { priority: undefined }, {}, "under its requests by 50 MiB, priority 0"],
  [
    "who is over its limit, and swaps",
    { containers: LIMITED },
    { memoryBytes: 150 * MI, swapBytes: 62 * MI, anonRefaults: 30 },
    "over its memory limit by 12 MiB, over its requests by 112 MiB, priority 0, 75 % of what comes back from swap",
  ],
  ["of whom nothing is known", {}, undefined, "no figures"],
])("tells of %s", (_, differences, sample, reason) => {
  const pods = [podOf("a", differences), podOf("b")];
  const containers = [
    ...(sample === undefined ? [] : [sampleOf("a", sample)]),
    sampleOf("b", { anonRefaults: sample?.anonRefaults === undefined ? 0 : 10 }),
  ];
  const config = { excludeNamespaces: [], ownPodUid: undefined };
  const ranking = rankVictims(snapshotAt(0, {}, pods, containers), undefined, config);
  const [candidate] = ranking.filter(({ pod }) => pod.uid === "a");
  expect(candidate && rankingReason(candidate)).toBe(reason);
});
