import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type EvictionAnswer, withAnswer } from "../../../src/policy/eviction/answer.ts";
import {
  decideEviction,
  type EvictionConfig,
  type EvictionDecision,
} from "../../../src/policy/eviction/decide.ts";
import type { Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { NO_EVICTIONS } from "../../../src/policy/eviction/state.ts";
import { neverEvictedReason } from "../../../src/policy/eviction/victim.ts";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import { MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

const config: EvictionConfig = {
  evictionMode: "Enforce",
  evictionThresholds: [
    {
      name: "stalled",
      allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
      unless: { signal: "swapSettling", operator: ">=", value: 0.1 },
      graceSeconds: 10,
      minClearSeconds: 30,
      isHard: true,
    },
  ],
  trafficWindowSeconds: 10,
  cooldownSeconds: 60,
  victimDeadlineSeconds: 120,
  maxEvictionsPerHour: 6,
  lastResort: "None",
  excludeNamespaces: ["kube-system"],
  ownPodUid: undefined,
};

/** By how much a pod's swap grows in a second, and how much comes back of it. */
interface Swapping {
  readonly grownPages: number;
  readonly cameBackPages: number;
}

const CALM: Swapping = { grownPages: 0, cameBackPages: 0 };

/** A node over time, which does what is decided. */
class Run {
  readonly decisions: EvictionDecision[] = [];
  readonly asked: { readonly podUid: string; readonly method: string; readonly atSeconds: number }[] = [];
  /** How the API server answers; what is accepted goes after so many seconds. */
  answer: (podUid: string, method: string) => EvictionAnswer = () => "accepted";
  goesAfterSeconds = 5;
  pods: Pod[];
  readonly #config: EvictionConfig;
  #state = NO_EVICTIONS;
  #now = 0;
  #stallMicroseconds = 0;
  #swapPages = 0;
  #cameBackPages = 0;
  #going = new Map<string, number>();

  constructor(pods: readonly Pod[], knobs: Partial<EvictionConfig> = {}) {
    this.pods = [...pods];
    this.#config = { ...config, ...knobs };
  }

  /** Lets a second go by, for a part of which everybody is stalled, and in which each pod swaps so. */
  second(stall: number, { grownPages, cameBackPages }: Swapping = CALM): EvictionDecision {
    this.#now += 1;
    this.#stallMicroseconds += stall * 1e6;
    this.#swapPages += grownPages;
    this.#cameBackPages += cameBackPages;
    this.pods = this.pods.filter(({ uid }) => (this.#going.get(uid) ?? Number.POSITIVE_INFINITY) > this.#now);
    const { decision, state } = decideEviction(this.#state, this.#snapshot(), this.#config);
    this.#state = state;
    this.decisions.push(decision);
    if (decision.verdict === "evict") this.#ask(decision);
    return decision;
  }

  seconds(count: number, stall: number, swapping: Swapping = CALM): EvictionDecision | undefined {
    for (let second = 0; second < count; second++) this.second(stall, swapping);
    return this.decisions.at(-1);
  }

  #snapshot(): Snapshot {
    const moment = {
      stallMicroseconds: this.#stallMicroseconds,
      swapInPages: this.#now * 1000,
    };
    const swap = { swapBytes: this.#swapPages * 4096, anonRefaults: this.#cameBackPages };
    const containers = this.pods.map(({ uid }, index) =>
      sampleOf(uid, { memoryBytes: (500 - index) * MI, ...swap }),
    );
    return snapshotAt(this.#now, moment, this.pods, containers);
  }

  #ask({ victim, method }: EvictionDecision & { verdict: "evict" }): void {
    const podUid = victim.pod.uid;
    const answer = this.#config.evictionMode === "DryRun" ? "dry-run" : this.answer(podUid, method);
    this.asked.push({ podUid, method, atSeconds: this.#now });
    if (answer === "accepted") this.#going.set(podUid, this.#now + this.goesAfterSeconds);
    this.#state = withAnswer(this.#state, podUid, answer, this.#config, this.#now);
  }
}

const three = ["a", "b", "c"].map((uid) => podOf(uid));

describe("under pressure", () => {
  test("nobody is evicted within the grace period, and the first victim right after it", () => {
    const run = new Run(three);
    expect(run.seconds(9, 0.5)).toEqual({ verdict: "hold", reason: "grace-period" });
    run.seconds(6, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["a"]);
    expect(run.asked[0]?.atSeconds).toBeLessThanOrEqual(13);
  });

  test("nobody is evicted once it is over, just before the grace period is", () => {
    const run = new Run(three);
    run.seconds(10, 0.5);
    expect(run.seconds(6, 0)).toEqual({ verdict: "hold", reason: "not-pressed" });
    expect(run.asked).toEqual([]);
  });

  test("that never was, nobody is evicted", () => {
    const run = new Run(three);
    run.seconds(100, 0.09);
    expect(new Set(run.decisions.map((decision) => JSON.stringify(decision)))).toEqual(
      new Set(['{"verdict":"hold","reason":"not-pressed"}']),
    );
  });

  test("nobody is evicted while memory settles, whether anybody was before or not, and it is told why", () => {
    const settling = { grownPages: 1000, cameBackPages: 0 };
    const run = new Run(three);
    expect(run.seconds(9, 0.5, settling)).toEqual({ verdict: "hold", reason: "grace-period" });
    expect(run.seconds(21, 0.5, settling)).toEqual({ verdict: "hold", reason: "excepted" });
    run.seconds(6, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["a"]);
    expect(run.seconds(100, 0.5, settling)).toEqual({ verdict: "hold", reason: "excepted" });
    run.seconds(6, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["a", "b"]);
  });

  test("a victim is waited for, then relief is", () => {
    const run = new Run(three);
    run.goesAfterSeconds = 40;
    while (run.asked.length === 0) run.second(0.5);
    expect(run.seconds(39, 0.5)).toMatchObject({ verdict: "await", podUid: "a" });
    expect(run.seconds(50, 0.5)).toEqual({ verdict: "hold", reason: "cooldown" });
    run.seconds(20, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["a", "b"]);
  });

  test("a victim that never goes is given up, and is not asked for again", () => {
    const run = new Run(three, { cooldownSeconds: 10 });
    run.goesAfterSeconds = Number.POSITIVE_INFINITY;
    run.seconds(600, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["a", "b", "c"]);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "no-candidate" });
  });
});

describe("an answer", () => {
  test.each<[EvictionAnswer, number, string[]]>([
    ["blocked", 30, ["a", "b"]],
    ["never", 30, ["a", "b"]],
    // As after an eviction: relief is waited for.
    ["gone", config.cooldownSeconds - 1, ["a"]],
    ["gone", config.cooldownSeconds + 1, ["a", "b"]],
    // Asked for again, after a pause each time.
    ["failed", 14, ["a", "a", "a"]],
  ])("of %s has the next one asked for", (answer, seconds, expected) => {
    const run = new Run(three);
    run.answer = (podUid) => (podUid === "a" ? answer : "accepted");
    while (run.asked.length === 0) run.second(0.5);
    run.seconds(seconds, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(expected);
  });

  test("of a budget that never yields has nobody deleted, but for the last resort", () => {
    for (const [lastResort, methods] of [
      ["None", ["evict", "evict", "evict"]],
      ["Delete", ["evict", "evict", "evict", "delete"]],
    ] as const) {
      const run = new Run(three, { lastResort });
      run.answer = (_, method) => (method === "delete" ? "accepted" : "never");
      run.seconds(60, 0.5);
      expect(run.asked.map(({ method }) => method)).toEqual([...methods]);
    }
  });
});

test("the last resort, refused too, is not tried each second", () => {
  const run = new Run(three, { lastResort: "Delete" });
  run.answer = () => "never";
  run.seconds(200, 0.5);
  const times = run.asked.filter(({ method }) => method === "delete").map(({ atSeconds }) => atSeconds);
  expect(times.length).toBeGreaterThan(1);
  for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? at)).toBeGreaterThan(50);
});

describe("a pod that goes already", () => {
  test.each<[string, Partial<Pod>]>([
    ["deleted by somebody", { isTerminating: true }],
    ["moved by KubeVirt", { annotations: { "descheduler.alpha.kubernetes.io/eviction-in-progress": "x" } }],
  ])("is waited for like a victim: %s", (_, differences) => {
    const run = new Run([podOf("going", differences), podOf("other")]);
    run.seconds(15, 0.5);
    expect(run.decisions.at(-1)).toMatchObject({ verdict: "await", podUid: "going" });
    // It never goes: its time is up, then relief is waited for, and the next one is evicted.
    run.seconds(config.victimDeadlineSeconds, 0.5);
    expect(run.asked).toEqual([]);
    run.seconds(config.cooldownSeconds, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["other"]);
  });

  test("is not waited for where it holds no more than it asked for, or where nothing presses", () => {
    const containers = [
      { name: "app", id: "going", memoryRequestBytes: 600 * MI, memoryLimitBytes: undefined },
    ];
    const run = new Run([podOf("going", { isTerminating: true, containers }), podOf("other")]);
    run.seconds(15, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["other"]);
    const quiet = new Run([podOf("going", { isTerminating: true })]);
    expect(quiet.seconds(15, 0)).toEqual({ verdict: "hold", reason: "not-pressed" });
  });
});

describe("the mode", () => {
  test("Off decides nothing", () => {
    const run = new Run(three, { evictionMode: "Off" });
    run.seconds(30, 0.9);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "mode-off" });
    expect(run.asked).toEqual([]);
  });

  test("DryRun decides as Enforce does, as often as that could", () => {
    const run = new Run(three, { evictionMode: "DryRun" });
    run.seconds(100, 0.5);
    expect(run.asked.map(({ podUid }) => podUid)).toEqual(["a", "a"]);
  });
});

test("no more are evicted in an hour than may be", () => {
  const many = Array.from({ length: 12 }, (_, index) => podOf(`pod-${String(index).padStart(2, "0")}`));
  const run = new Run(many, { cooldownSeconds: 10 });
  run.seconds(3000, 0.5);
  expect(run.asked).toHaveLength(6);
  expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "capped" });
});

describe("whatever happens", () => {
  const pod = fc.record({
    priority: fc.constantFrom(0, 10, 2_000_000_000),
    namespace: fc.constantFrom("shop", "kube-system"),
    isTerminating: fc.boolean(),
    phase: fc.constantFrom("Running", "Succeeded"),
    annotations: fc.constantFrom({}, { "wasp.io/evict": "false" }, { "kubernetes.io/config.source": "file" }),
  });
  const answer = fc.constantFrom<EvictionAnswer>("accepted", "blocked", "never", "gone", "failed");
  const stalls = fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom<number[]>(0, 0.05, 0.2, 0.9),
      fc.record({
        grownPages: fc.constantFrom(0, 0, 1000),
        cameBackPages: fc.constantFrom<number[]>(0, 90, 3000),
      }),
    ),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  const scene = fc.record({
    pods: fc.array(pod, { maxLength: 6 }),
    answers: fc.array(answer, { minLength: 1, maxLength: 10 }),
    stalls,
    goesAfterSeconds: fc.integer({ min: 1, max: 200 }),
  });

  function play({
    pods,
    answers,
    stalls: parts,
    goesAfterSeconds,
  }: typeof scene extends fc.Arbitrary<infer T> ? T : never): Run {
    const run = new Run(pods.map((differences, index) => podOf(`pod-${index}`, differences)));
    let count = 0;
    run.answer = () => answers[count++ % answers.length] ?? "accepted";
    run.goesAfterSeconds = goesAfterSeconds;
    for (const [seconds, stall, swapping] of parts) run.seconds(seconds, stall, swapping);
    return run;
  }

  test("nobody is a victim who never may be one", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        for (const decision of play(drawn).decisions)
          if (decision.verdict === "evict")
            expect(neverEvictedReason(decision.victim.pod, config)).toBeUndefined();
      }),
    );
  });

  test("between two evictions that were accepted lies a cooldown", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const run = play({ ...drawn, answers: ["accepted"] });
        const times = run.asked.map(({ atSeconds }) => atSeconds);
        for (const [index, at] of times.entries())
          if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(config.cooldownSeconds);
      }),
    );
  });

  test("the same is decided twice", () => {
    fc.assert(fc.property(scene, (drawn) => expect(play(drawn).decisions).toEqual(play(drawn).decisions)));
  });

  // More that goes to swap and stays there may: that is what the threshold excepts.
  test("a longer stall, and more that comes back from swap, never turns an eviction into a hold", () => {
    const more = fc.record({ stall: fc.constantFrom(0, 0.05, 0.3), pages: fc.constantFrom(0, 200, 5000) });
    fc.assert(
      fc.property(scene, more, (drawn, added) => {
        const harder = drawn.stalls.map(
          ([seconds, stall, { grownPages, cameBackPages }]): (typeof drawn.stalls)[number] => [
            seconds,
            Math.min(1, stall + added.stall),
            { grownPages, cameBackPages: cameBackPages + added.pages },
          ],
        );
        const [less, pressed] = [play(drawn), play({ ...drawn, stalls: harder })];
        const [first, earlier] = [less, pressed].map((run) =>
          run.decisions.findIndex(({ verdict }) => verdict === "evict"),
        );
        if (first === undefined || first === -1) return;
        expect(earlier).toBeGreaterThanOrEqual(0);
        expect(earlier).toBeLessThanOrEqual(first);
      }),
    );
  });
});
