import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { EvictionConfig } from "../../src/policy/eviction/decide.ts";
import { DEFAULT_THRESHOLDS } from "../../src/policy/eviction/default-thresholds.ts";
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { changesIn, Replay } from "../../src/trace/replay.ts";
import { HOG, hogSnapshots } from "./hog.ts";
import { anySnapshots } from "./snapshots.ts";

const config: EvictionConfig = {
  evictionMode: "Off",
  evictionThresholds: DEFAULT_THRESHOLDS,
  trafficWindowSeconds: 30,
  cooldownSeconds: 20,
  victimDeadlineSeconds: 300,
  maxEvictionsPerHour: 6,
  lastResort: "None",
  excludeNamespaces: [],
  ownPodUid: undefined,
  evictionOptOut: "WithinRequests",
  evictionOptOutNamespaces: ["*"],
};

function replayOf(snapshots: readonly Snapshot[], knobs: Partial<EvictionConfig> = {}): Replay {
  const replay = new Replay({ ...config, ...knobs });
  for (const snapshot of snapshots) replay.take(snapshot);
  return replay;
}

/** Returns the decisions with their times, each with the victim or the reason. */
function decisionsOf({ phases }: Replay) {
  return phases.map(({ fromSeconds, decision, isSupposed }) => {
    const what =
      decision.verdict === "hold"
        ? decision.reason
        : decision.verdict === "await"
          ? decision.podUid
          : decision.victim.pod.uid;
    return `${fromSeconds} ${decision.verdict} ${what}${isSupposed ? " ?" : ""}`;
  });
}

describe("a replay", () => {
  test("decides as the agent would in any mode, and marks the hypothetical decisions", () => {
    const replay = replayOf(hogSnapshots());
    expect(decisionsOf(replay)).toEqual([
      "0 hold not-pressed",
      "33 hold grace-period",
      "45 evict hog",
      "46 await hog ?",
      "75 hold cooldown ?",
      "95 evict web ?",
      "96 await web ?",
      "125 hold cooldown ?",
      "145 hold no-candidate ?",
      "150 hold recovering ?",
      "153 hold grace-period ?",
      "155 hold not-pressed ?",
    ]);
    const harm = 45 - HOG.quietSeconds;
    expect(harm).toBeLessThanOrEqual(15);
  });

  test("reports the times at which thresholds are met and crossed, and the node is tainted", () => {
    expect(changesIn(replayOf(hogSnapshots()).moments)).toEqual([
      { atSeconds: 45, threshold: "swap-harm", change: "met" },
      { atSeconds: 45, threshold: "swap-harm", change: "crossed" },
      { atSeconds: 45, threshold: undefined, change: "tainted" },
      // What was seen before a victim went says nothing about the time after it.
      { atSeconds: 76, threshold: "swap-harm", change: "unmet" },
      { atSeconds: 88, threshold: "swap-harm", change: "met" },
      { atSeconds: 126, threshold: "swap-harm", change: "unmet" },
      { atSeconds: 140, threshold: "swap-harm", change: "met" },
      { atSeconds: 150, threshold: "swap-harm", change: "unmet" },
      { atSeconds: 209, threshold: "swap-harm", change: "over" },
      { atSeconds: 209, threshold: undefined, change: "untainted" },
    ]);
  });

  test("evicts no pod with thresholds that are never met", () => {
    expect(decisionsOf(replayOf(hogSnapshots(), { evictionThresholds: [] }))).toEqual(["0 hold not-pressed"]);
  });

  test("of a node whose victim terminated ignores it from then on", () => {
    const snapshots = hogSnapshots().map((snapshot) =>
      snapshot.atSeconds < 50
        ? snapshot
        : { ...snapshot, pods: snapshot.pods.slice(1), containers: snapshot.containers.slice(1) },
    );
    expect(decisionsOf(replayOf(snapshots)).slice(2, 5)).toEqual([
      "45 evict hog",
      "46 await hog ?",
      "50 hold cooldown ?",
    ]);
  });
});

test("the basis of a decision has who would help, and why they may not go", () => {
  const basis = replayOf(hogSnapshots(), { excludeNamespaces: ["shop"] }).phases.find(
    ({ decision }) => decision.verdict === "hold" && decision.reason === "relieving-kept",
  )?.basis;
  expect(basis?.relieving.map(({ pod, leftOut }) => `${pod.name} ${leftOut}`)).toEqual([
    "hog excluded-namespace",
  ]);
  expect(basis).toMatchObject({ pods: 2, evictedLastHour: 0, cooldownSeconds: 0 });
});

const always: Partial<EvictionConfig> = {
  cooldownSeconds: 0,
  evictionThresholds: [
    {
      name: "any-memory",
      allOf: [{ signal: "memoryOvercommit", operator: ">=", value: 0 }],
      graceSeconds: 0,
      minClearSeconds: 0,
      isHard: false,
    },
  ],
};

describe("a replay of any recording", () => {
  test("covers all of its time with phases", () => {
    fc.assert(
      fc.property(anySnapshots, (snapshots) => {
        const { phases } = replayOf(snapshots, always);
        expect(phases[0]?.fromSeconds).toBe(snapshots[0]?.atSeconds as number);
        expect(phases.at(-1)?.toSeconds).toBe(snapshots.at(-1)?.atSeconds as number);
        for (const [index, { fromSeconds }] of phases.entries())
          if (index > 0) expect(phases[index - 1]?.toSeconds).toBe(fromSeconds);
      }),
    );
  });

  test("does not depend on later samples", () => {
    fc.assert(
      fc.property(anySnapshots, fc.nat({ max: 10 }), (snapshots, count) => {
        const whole = replayOf(snapshots, always);
        const part = replayOf(snapshots.slice(0, count), always);
        expect(part.moments).toEqual(whole.moments.slice(0, part.moments.length));
        expect(decisionsOf(part)).toEqual(decisionsOf(whole).slice(0, part.phases.length));
      }),
    );
  });
});
