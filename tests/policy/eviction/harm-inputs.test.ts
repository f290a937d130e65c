import { describe, expect, test } from "bun:test";
import { countersOf } from "../../../src/policy/eviction/counters.ts";
import { ALL_PODS, type HarmExcuse, type HarmInput } from "../../../src/policy/eviction/harm.ts";
import { type HarmBasis, harmInputsOf } from "../../../src/policy/eviction/harm-inputs.ts";
import { podFiguresOf } from "../../../src/policy/eviction/pod-figures.ts";
import type { PodSample, Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { SHORT } from "./run.ts";
import { GI, podOf, podSampleOf, pressureOf, sampleOf, snapshotAt } from "./snapshots.ts";

const PODS = [podOf("a"), podOf("b")];
/** Flow of a pod that gives away what it does not use. */
const GIVING = new Map([["a", { inPages: 1, outPages: 100, grownPages: -100 }]]);

/** Returns the inputs of a node by its snapshots, whose stall is swap's doing and does not settle. */
function inputsOf(snapshots: readonly Snapshot[], differences: Partial<HarmBasis> = {}) {
  const last = snapshots.at(-1);
  if (last === undefined) throw new Error("there is no snapshot");
  return harmInputsOf({
    snapshot: last,
    counters: snapshots.map(countersOf),
    pods: snapshots.map((one) => ({ atSeconds: one.atSeconds, pods: podFiguresOf(one) })),
    flows: new Map([["a", { inPages: 100, outPages: 100, grownPages: 0 }]]),
    longFlows: new Map([["a", { inPages: 100, outPages: 100, grownPages: 0 }]]),
    swapSettling: 0,
    cause: "anonymous-refault",
    ...differences,
  });
}

/** Returns snapshots of two pods' own cgroups, the first of which stalls so long, and meets its limit so often, a second. */
function ownStalls(
  stall: number,
  highEvents = 0,
  moment: Parameters<typeof snapshotAt>[1] = SHORT,
): Snapshot[] {
  return [0, 1, 2, 3].map((second) => {
    const counts = { high: highEvents * second, max: 0, oom: 0 };
    const samples: PodSample[] = [
      podSampleOf("a", {
        memoryPressure: pressureOf(stall * second * 1e6),
        events: { ...counts, local: counts },
      }),
      podSampleOf("b", { memoryPressure: pressureOf(0) }),
    ];
    return snapshotAt(
      second,
      moment,
      PODS,
      PODS.map(({ uid }) => sampleOf(uid)),
      samples,
    );
  });
}

/** Returns the snapshots with one encounter of the first pod with its own limit, in the first second. */
function onceAtLimit(snapshots: readonly Snapshot[]): Snapshot[] {
  const counts = { high: 1, max: 0, oom: 0 };
  return snapshots.map((snapshot, index) => ({
    ...snapshot,
    podSamples: snapshot.podSamples.map((sample) =>
      sample.podUid === "a" && index > 0 ? { ...sample, events: { ...counts, local: counts } } : sample,
    ),
  }));
}

const FREE = { memoryAvailableBytes: 2 * GI };

describe("the stall of each pod", () => {
  test("is its own, with no excuse where memory is short", () => {
    const inputs = inputsOf(ownStalls(0.5));
    expect([...inputs.keys()]).toEqual(["a", "b"]);
    expect(inputs.get("a")).toMatchObject({
      stall: 0.5,
      meanStall: 0.5,
      excuse: undefined,
      returnedShare: 1,
    });
    expect(inputs.get("b")).toMatchObject({ stall: 0, excuse: undefined });
  });

  test.each<[string, Snapshot[], Partial<HarmBasis>, HarmInput["excuse"]]>([
    ["recovering where memory is free", ownStalls(0.4, 0, FREE), {}, "recovering"],
    [
      "self-inflicted where memory is free and it met its own limit",
      ownStalls(0.4, 1, FREE),
      {},
      "self-inflicted",
    ],
    [
      "self-inflicted where memory is short, if it met its own limit each second",
      ownStalls(0.4, 1),
      {},
      "self-inflicted",
    ],
    ["nothing by a limit of its own that it met once", onceAtLimit(ownStalls(0.4)), {}, undefined],
    ["not-swap without a cause", ownStalls(0.4), { cause: undefined }, "not-swap"],
    ["settling from a tenth on", ownStalls(0.4), { swapSettling: 0.1, longFlows: GIVING }, "settling"],
    ["nothing below a tenth", ownStalls(0.4), { swapSettling: 0.099, longFlows: GIVING }, undefined],
  ])("is excused by %s", (_, snapshots, differences, excuse) => {
    expect(inputsOf(snapshots, differences).get("a")?.excuse).toBe(excuse);
  });

  test("is at most 1", () => {
    expect(inputsOf(ownStalls(1.1)).get("a")?.stall).toBe(1);
  });
});

describe("a shortage", () => {
  const at = (second: number, memoryAvailableBytes: number): Snapshot =>
    snapshotAt(second, { memoryAvailableBytes, stallMicroseconds: second * 5e5 }, PODS);
  const little = 0.3 * GI;

  test("lasts for five seconds after reclaim has made a moment's room", () => {
    const room = (seconds: number) =>
      [0, ...Array.from({ length: seconds }, (_, index) => index + 1)].map((second) =>
        at(second, second === 0 ? SHORT.memoryAvailableBytes : little),
      );
    expect(inputsOf(room(5)).get(ALL_PODS)?.excuse).toBeUndefined();
    expect(inputsOf(room(6)).get(ALL_PODS)?.excuse).toBe("recovering");
  });

  test("is over at once with ample room", () => {
    expect(inputsOf([at(0, SHORT.memoryAvailableBytes), at(1, GI)]).get(ALL_PODS)?.excuse).toBe("recovering");
  });
});

test("on many processors, the time in which any task waits counts by half where swap is read back", () => {
  const snapshots = [0, 1, 2, 3].map((second) => {
    const snapshot = snapshotAt(second, SHORT, PODS);
    const memoryPressure = { ...pressureOf(second * 5e4), some: pressureOf(second * 7e5).some };
    return { ...snapshot, kubepods: snapshot.kubepods && { ...snapshot.kubepods, memoryPressure } };
  });
  expect(inputsOf(snapshots).get(ALL_PODS)?.stall).toBeCloseTo(0.35, 9);
  expect(inputsOf(snapshots, { cause: "swap-out" }).get(ALL_PODS)?.stall).toBeCloseTo(0.05, 9);
});

test.each<[string, Partial<HarmBasis>, HarmExcuse | undefined]>([
  [
    "takes more than it reads back",
    { longFlows: new Map([["a", { inPages: 9, outPages: 5, grownPages: 14 }]]) },
    "growing",
  ],
  ["reads its own memory back, while others give theirs away", { swapSettling: 0.5 }, undefined],
  ["gives away what it does not use", { swapSettling: 0.5, longFlows: GIVING }, "settling"],
  [
    "gives away far more than it reads back, and still reads back much",
    { swapSettling: 0.5, longFlows: new Map([["a", { inPages: 500, outPages: 9000, grownPages: -8500 }]]) },
    undefined,
  ],
])("the stall of a pod of its own is judged by what that pod does: it %s", (_, differences, excuse) => {
  expect(inputsOf(ownStalls(0.5), differences).get("a")?.excuse).toBe(excuse);
});
