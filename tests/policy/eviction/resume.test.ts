import { describe, expect, test } from "bun:test";
import { withAnswer } from "../../../src/policy/eviction/answer.ts";
import { decideEviction, type EvictionConfig } from "../../../src/policy/eviction/decide.ts";
import { type EvictionPast, resumeEvictions } from "../../../src/policy/eviction/resume.ts";
import { isPressed, NO_EVICTIONS } from "../../../src/policy/eviction/state.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

const config: EvictionConfig = {
  evictionMode: "Enforce",
  evictionThresholds: [
    {
      name: "stalled",
      allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
      graceSeconds: 10,
      minClearSeconds: 40,
      isHard: false,
    },
  ],
  trafficWindowSeconds: 10,
  cooldownSeconds: 60,
  victimDeadlineSeconds: 120,
  maxEvictionsPerHour: 2,
  lastResort: "None",
  excludeNamespaces: [],
  ownPodUid: undefined,
  evictionOptOut: "WithinRequests",
  evictionOptOutNamespaces: ["*"],
};
const NOTHING: EvictionPast = { evicted: [], pressedSinceSeconds: undefined };
const START = 1000;

/**
 * Returns the decisions of an agent that starts with this record, second by second, and the end of the node's pressure.
 */
function play(
  past: EvictionPast,
  seconds: number,
  stall: number,
  pods: readonly Pod[] = [podOf("a"), podOf("b")],
  // More than a tenth of the pods' memory above the requests, so that their ends would relieve.
  usageBytes = 600 * MI,
  used = config,
) {
  let state = resumeEvictions(NO_EVICTIONS, past, used, START);
  let pressedSeconds = 0;
  const asked: [podUid: string, afterSeconds: number][] = [];
  const verdicts: string[] = [];
  for (let second = 1; second <= seconds; second++) {
    const moment = { stallMicroseconds: second * stall * 1e6, anonRefaults: second * 1000 };
    const containers = pods.map(({ uid }, index) => sampleOf(uid, { memoryBytes: usageBytes - index }));
    const decided = decideEviction(state, snapshotAt(START + second, moment, pods, containers), used);
    const { decision } = decided;
    state = decided.state;
    if (isPressed(state)) pressedSeconds = second;
    verdicts.push(decision.verdict === "hold" ? decision.reason : decision.verdict);
    if (decision.verdict !== "evict") continue;
    asked.push([decision.victim.pod.uid, second]);
    state = withAnswer(state, decision.victim.pod.uid, "never", used, START + second);
  }
  return { asked, verdicts, pressedSeconds };
}

describe("an agent at its start", () => {
  test("evicts after the grace period, without a record", () => {
    expect(play(NOTHING, 30, 0.5).asked[0]?.[1]).toBeWithin(10, 15);
  });

  test("does not evict before its own grace period under an inherited pressure", () => {
    const { asked, pressedSeconds } = play({ ...NOTHING, pressedSinceSeconds: START - 100 }, 60, 0.5);
    expect(asked[0]?.[1]).toBeWithin(10, 15);
    expect(pressedSeconds).toBe(60);
  });

  test("keeps an inherited pressure for the clear time of its thresholds", () => {
    expect(play({ ...NOTHING, pressedSinceSeconds: START - 100 }, 90, 0).pressedSeconds).toBe(39);
    expect(play(NOTHING, 90, 0).pressedSeconds).toBe(0);
  });

  test.each<[string, number, number]>([
    ["a moment ago", 1, config.cooldownSeconds],
    ["while its victim may still be terminating", 170, config.cooldownSeconds],
    ["long ago", 181, 10],
  ])("waits for the cooldown after an eviction %s", (_, agoSeconds, soonest) => {
    const past = { ...NOTHING, evicted: [{ podUid: "gone", atSeconds: START - agoSeconds }] };
    expect(play(past, 90, 0.5).asked[0]?.[1]).toBeWithin(soonest, soonest + 5);
  });

  test("counts the evictions of the last hour, and no older ones", () => {
    const evicted = [3700, 3000, 2000].map((ago) => ({ podUid: `gone-${ago}`, atSeconds: START - ago }));
    expect(play({ ...NOTHING, evicted }, 30, 0.5).verdicts.at(-1)).toBe("capped");
    const { asked } = play({ ...NOTHING, evicted: evicted.slice(0, 2) }, 30, 0.5);
    expect(asked).not.toBeEmpty();
  });

  test.each<[string, readonly number[], "evict" | "not-relieved"]>([
    ["after one eviction of it", [90], "evict"],
    ["after two evictions of it", [400, 90], "not-relieved"],
    ["after two evictions, the first before the node showed it", [530, 90], "not-relieved"],
    ["after one eviction of it and one of an earlier pressure", [541, 90], "evict"],
  ])("goes on with an inherited pressure %s: %p s ago: %s", (_, agoSeconds, verdict) => {
    const evicted = agoSeconds.map((ago) => ({ podUid: `gone-${ago}`, atSeconds: START - ago }));
    const past = { evicted, pressedSinceSeconds: START - 500 };
    expect(
      play(past, 80, 0.5, undefined, undefined, { ...config, maxEvictionsPerHour: 8 }).verdicts,
    ).toContain(verdict);
  });

  test("awaits a terminating victim, even if its end would not relieve", () => {
    const pods = [podOf("a", { isTerminating: true }), podOf("b")];
    const past = { pressedSinceSeconds: START - 100, evicted: [{ podUid: "a", atSeconds: START - 1 }] };
    expect(new Set(play(past, 90, 0.5, pods, 50 * MI).verdicts)).toEqual(new Set(["await"]));
    // A pod that others evict is not awaited: it would bring no relief.
    const strangers = play({ ...past, evicted: [] }, 90, 0.5, pods, 50 * MI);
    expect(strangers.verdicts).not.toContain("await");
    expect(strangers.verdicts.at(-1)).toBe("nobody-relieves");
  });
});

describe("an answer", () => {
  const evict = (answer: "blocked" | "failed", retryAfterSeconds: number | undefined) =>
    withAnswer(NO_EVICTIONS, "a", answer, config, START, retryAfterSeconds);

  test.each<[number | undefined, number]>([
    [undefined, 60],
    [10, 60],
    [90, 90],
    [86_400, 300],
  ])("of blocked with a delay of %p s passes the pod over for %p s", (retryAfterSeconds, seconds) => {
    expect(evict("blocked", retryAfterSeconds).passedOver).toEqual({ a: START + seconds });
  });

  test.each<[number | undefined, number]>([
    [undefined, 5],
    [1, 5],
    [7, 7],
    [86_400, 300],
  ])("of failed with a delay of %p s stops requests for %p s", (retryAfterSeconds, seconds) => {
    expect(evict("failed", retryAfterSeconds).cooldownUntilSeconds).toBe(START + seconds);
  });

  test("of failed counts as an eviction once the pod is gone nevertheless", () => {
    const decideWith = (pods: readonly Pod[]) =>
      decideEviction(evict("failed", undefined), snapshotAt(START + 1, {}, pods), config).state;
    expect(decideWith([podOf("a"), podOf("b")])).toMatchObject({ evicted: [], unansweredPodUid: "a" });
    expect(decideWith([podOf("b")])).toMatchObject({
      evicted: [{ podUid: "a", atSeconds: START + 1 }],
      cooldownUntilSeconds: START + 1 + config.cooldownSeconds,
      unansweredPodUid: undefined,
    });
  });
});
