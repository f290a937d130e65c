import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { EvictionAnswer } from "../../../src/policy/eviction/answer.ts";
import { neverEvictedReason } from "../../../src/policy/eviction/never-evicted.ts";
import { CONFIG, PODS, Run, SHORT } from "./run.ts";
import { GI, MI, podOf } from "./snapshots.ts";

describe("under pressure", () => {
  test("no pod is evicted within the grace period, and the first victim right after it", () => {
    const run = new Run(PODS);
    expect(run.seconds(9, 0.5)).toEqual({ verdict: "hold", reason: "grace-period" });
    run.seconds(6, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(["a"]);
    expect(run.requests[0]?.atSeconds).toBeLessThanOrEqual(14);
  });

  test("no pod is evicted if the pressure ends just before the grace period", () => {
    const run = new Run(PODS);
    run.seconds(10, 0.5);
    run.seconds(100, 0);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "not-pressed" });
    expect(run.requests).toEqual([]);
  });

  test("below the threshold no pod is evicted", () => {
    const run = new Run(PODS);
    run.seconds(100, 0.09);
    expect(new Set(run.decisions.map((decision) => JSON.stringify(decision)))).toEqual(
      new Set(['{"verdict":"hold","reason":"not-pressed"}']),
    );
  });

  test("a dip of seconds does not undo what was seen before it", () => {
    const run = new Run(PODS);
    run.seconds(8, 0.5);
    run.seconds(4, 0);
    run.seconds(8, 0.5);
    expect(run.asked).toEqual(["a"]);
  });
});

describe("the eviction mode", () => {
  test("Off makes no decision", () => {
    const run = new Run(PODS, { evictionMode: "Off" });
    run.seconds(30, 0.9);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "mode-off" });
    expect(run.requests).toEqual([]);
  });

  test("DryRun decides as Enforce does, at the same rate", () => {
    const run = new Run(PODS, { evictionMode: "DryRun" });
    run.seconds(100, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(["a", "a"]);
  });
});

test("evictions stop at the hourly maximum", () => {
  const many = Array.from({ length: 12 }, (_, index) => podOf(`pod-${String(index).padStart(2, "0")}`));
  const run = new Run(many, { cooldownSeconds: 10 });
  // Each eviction relieves, for a while.
  for (let episode = 0; episode < 20; episode++) {
    run.seconds(17, 0.5);
    run.seconds(100, 0);
  }
  expect(run.requests).toHaveLength(6);
  run.seconds(17, 0.5);
  expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "capped" });
});

test("evictions that relieve nothing stop after the second, until the pressure is over", () => {
  const many = Array.from({ length: 6 }, (_, index) => podOf(`pod-${index}`));
  const run = new Run(many, { cooldownSeconds: 10 });
  run.seconds(1000, 0.5);
  expect(run.asked).toEqual(["pod-0", "pod-1"]);
  expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "not-relieved" });
  run.seconds(100, 0);
  run.seconds(20, 0.5);
  expect(run.asked).toEqual(["pod-0", "pod-1", "pod-2"]);
});

describe("in any scenario", () => {
  const pod = fc.record({
    priority: fc.constantFrom(0, 10, 2_000_000_000),
    namespace: fc.constantFrom("shop", "kube-system"),
    isTerminating: fc.boolean(),
    phase: fc.constantFrom("Running", "Succeeded"),
    annotations: fc.constantFrom({}, { "wasp.io/evict": "false" }, { "kubernetes.io/CONFIG.source": "file" }),
  });
  const answer = fc.constantFrom<EvictionAnswer>("accepted", "blocked", "never", "gone", "failed");
  const stalls = fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom<number[]>(0, 0.05, 0.2, 0.9),
      fc.record({
        grownPages: fc.constantFrom(0, 0, 1000),
        returnedPages: fc.constantFrom<number[]>(0, 90, 3000),
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
    exitSeconds: fc.integer({ min: 1, max: 200 }),
  });

  function play(
    { pods, answers, stalls: parts, exitSeconds }: typeof scene extends fc.Arbitrary<infer T> ? T : never,
    loads: readonly Run["loads"][string][] = [],
    free: Run["free"] = SHORT,
  ): Run {
    const run = new Run(pods.map((differences, index) => podOf(`pod-${index}`, differences)));
    let count = 0;
    run.answer = () => answers[count++ % answers.length] ?? "accepted";
    run.exitSeconds = exitSeconds;
    run.loads = Object.fromEntries(loads.map((one, index) => [`pod-${index}`, one]));
    run.free = free;
    for (const [seconds, stall, swapping] of parts) run.seconds(seconds, stall, swapping);
    return run;
  }

  test("a protected pod is never a victim", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        for (const decision of play(drawn).decisions)
          if (decision.verdict === "evict")
            expect(neverEvictedReason(decision.victim.pod, decision.victim, CONFIG)).toBeUndefined();
      }),
    );
  });

  const load = fc.record({
    memoryBytes: fc.constantFrom(10 * MI, 95 * MI, 300 * MI, 1000 * MI),
    returnedPages: fc.constantFrom(0, 90, 3000),
    takenPages: fc.constantFrom(0, 500),
    stall: fc.constantFrom<number[]>(0, 0.3, 0.9),
  });

  test("a victim is one whose end would relieve: of a size that counts, and moving or far over its requests", () => {
    fc.assert(
      fc.property(scene, fc.array(load, { minLength: 6, maxLength: 6 }), (drawn, loads) => {
        for (const decision of play(drawn, loads).decisions) {
          if (decision.verdict !== "evict") continue;
          const { workingSetBytes = 0, usageBytes = 0, requestBytes, movingShare } = decision.victim;
          expect(workingSetBytes).toBeGreaterThanOrEqual(0.03 * 3 * GI);
          expect(movingShare >= 0.15 || usageBytes - requestBytes >= 0.1 * 3 * GI).toBeTrue();
        }
      }),
    );
  });

  test("nobody is evicted while memory is not short, where pods have stalls of their own", () => {
    fc.assert(
      fc.property(scene, fc.array(load, { minLength: 6, maxLength: 6 }), (drawn, loads) => {
        const run = play(drawn, loads, { memoryAvailableBytes: 0.5 * GI });
        expect(run.requests).toEqual([]);
      }),
    );
  });

  test("two accepted evictions are a cooldown apart", () => {
    fc.assert(
      fc.property(scene, (drawn) => {
        const run = play({ ...drawn, answers: ["accepted"] });
        const times = run.requests.map(({ atSeconds }) => atSeconds);
        for (const [index, at] of times.entries())
          if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(CONFIG.cooldownSeconds);
      }),
    );
  });

  test("decisions are deterministic", () => {
    fc.assert(fc.property(scene, (drawn) => expect(play(drawn).decisions).toEqual(play(drawn).decisions)));
  });

  // Not for pages that are swapped out and stay out: they are the threshold's exception.
  test("a longer stall with more swap-in never turns an eviction into a hold", () => {
    const more = fc.record({ stall: fc.constantFrom(0, 0.05, 0.3), pages: fc.constantFrom(0, 200, 5000) });
    fc.assert(
      fc.property(scene, more, (drawn, added) => {
        const harder = drawn.stalls.map(
          ([seconds, stall, { grownPages, returnedPages }]): (typeof drawn.stalls)[number] => [
            seconds,
            Math.min(1, stall + added.stall),
            { grownPages, returnedPages: returnedPages + added.pages },
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
