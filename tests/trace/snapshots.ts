import fc from "fast-check";
import type { ContainerSample, Snapshot } from "../../src/policy/eviction/snapshot.ts";
import type { Pod } from "../../src/policy/kubernetes/pod.ts";

/** Returns a snapshot of a node with these parts. */
export function snapshotWith(parts: Partial<Snapshot>): Snapshot {
  return {
    atSeconds: 0,
    pageBytes: 4096,
    node: {
      memoryTotalBytes: 4_112_945_152,
      memoryAvailableBytes: 3_072_000,
      memoryFreeBytes: 1_024_000,
      inactiveFileBytes: 512_000,
      swapTotalBytes: 1_073_737_728,
      swapFreeBytes: 1_073_737_728,
      swapInPages: 7,
      swapOutPages: 8,
      directScans: 9,
      kswapdScans: 10,
      memoryPressure: undefined,
    },
    kubepods: undefined,
    containers: [],
    podSamples: [],
    pods: [],
    ...parts,
  };
}

/** Returns a sample of a container with these parts. */
export function containerWith(parts: Partial<ContainerSample>): ContainerSample {
  return {
    id: "c1",
    podUid: "p1",
    memoryBytes: 52_428_800,
    inactiveFileBytes: 300,
    anonBytes: 1000,
    swapBytes: 0,
    anonRefaults: 41,
    fileRefaults: 42,
    swappableBytes: 1000,
    swapLimitBytes: 536_870_912,
    fileBytes: 2000,
    shmemBytes: 500,
    swapCachedBytes: 0,
    memoryPressure: undefined,
    events: undefined,
    ...parts,
  };
}

/** Returns a pod with these parts. */
export function podWith(parts: Partial<Pod>): Pod {
  return {
    uid: "p1",
    namespace: "shop",
    name: "db-0",
    annotations: {},
    labels: {},
    qosClass: "Burstable",
    priority: 0,
    phase: "Running",
    isTerminating: false,
    ownerKind: "StatefulSet",
    containers: [{ name: "db", id: "c1", memoryRequestBytes: 67_108_864, memoryLimitBytes: undefined }],
    ...parts,
  };
}

const figure = fc.maxSafeNat();
const percent = fc.integer({ min: 0, max: 10_000 }).map((hundredths) => hundredths / 100);
const stall = fc.record({
  avg10Percent: percent,
  avg60Percent: percent,
  avg300Percent: percent,
  totalMicroseconds: figure,
});
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const pressure = fc.record({ some: stall, full: optional(stall) });
const limit = fc.oneof(figure, fc.constant(Number.POSITIVE_INFINITY));
const eventCounts = { high: figure, max: figure, oom: figure };
const events = fc.record({ ...eventCounts, local: fc.record(eventCounts) });
const cgroup = {
  memoryBytes: figure,
  inactiveFileBytes: figure,
  anonBytes: figure,
  swapBytes: figure,
  // Often equal to the one before.
  anonRefaults: fc.integer({ min: 0, max: 1 }),
  fileRefaults: fc.integer({ min: 0, max: 1 }),
};
const containerCgroup = {
  ...cgroup,
  swappableBytes: optional(figure),
  swapLimitBytes: optional(limit),
  fileBytes: optional(figure),
  shmemBytes: optional(figure),
  swapCachedBytes: optional(figure),
  memoryPressure: optional(pressure),
  events: optional(events),
};
const podCgroup = {
  ...cgroup,
  fileBytes: figure,
  shmemBytes: figure,
  swapCachedBytes: figure,
  swappableBytes: optional(figure),
  memoryMaxBytes: optional(limit),
  memoryHighBytes: optional(limit),
  memoryPressure: optional(pressure),
  events: optional(events),
};
const id = fc.constantFrom("a", "b", "c", "7", "constructor");
// Names of an object's prototype are no annotation keys, and valibot omits them from a record.
const RESERVED = ["__proto__", "prototype", "constructor"];
const strings = fc.dictionary(
  fc.string().filter((key) => !RESERVED.includes(key)),
  fc.string(),
  { noNullPrototype: true },
);

const pod: fc.Arbitrary<Pod> = fc.record({
  uid: id,
  namespace: fc.string(),
  name: fc.string(),
  annotations: strings,
  labels: strings,
  qosClass: optional(fc.constantFrom("Guaranteed" as const, "Burstable", "BestEffort")),
  priority: optional(fc.maxSafeInteger().filter((priority) => !Object.is(priority, -0))),
  phase: optional(fc.string()),
  isTerminating: fc.boolean(),
  ownerKind: optional(fc.string()),
  containers: fc.array(
    fc.record({
      name: fc.string(),
      id: optional(id),
      memoryRequestBytes: figure,
      memoryLimitBytes: optional(figure),
    }),
    { maxLength: 2 },
  ),
});

const moment = fc.record({
  waitMilliseconds: fc.nat(),
  node: fc.record({
    memoryTotalBytes: figure,
    memoryAvailableBytes: figure,
    memoryFreeBytes: optional(figure),
    inactiveFileBytes: optional(figure),
    swapTotalBytes: figure,
    swapFreeBytes: figure,
    swapInPages: figure,
    swapOutPages: figure,
    directScans: optional(figure),
    kswapdScans: optional(figure),
    memoryPressure: optional(pressure),
  }),
  kubepods: optional(
    fc.record({
      ...cgroup,
      memoryMaxBytes: limit,
      memoryHighBytes: limit,
      memoryPressure: optional(pressure),
    }),
  ),
  containers: fc.uniqueArray(fc.record({ id, podUid: id, ...containerCgroup }), {
    selector: (container) => container.id,
  }),
  podSamples: fc.uniqueArray(fc.record({ podUid: id, ...podCgroup }), {
    selector: (sample) => sample.podUid,
  }),
  pods: fc.array(pod, { maxLength: 2 }),
});

/** Arbitrary snapshots of one node, in chronological order. */
export const anySnapshots: fc.Arbitrary<Snapshot[]> = fc.array(moment).map((moments) => {
  let milliseconds = 0;
  return moments.map(({ waitMilliseconds, ...rest }) => {
    milliseconds += waitMilliseconds;
    return { atSeconds: milliseconds / 1000, pageBytes: 4096, ...rest };
  });
});
