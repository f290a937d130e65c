import { describe, expect, test } from "bun:test";
import { decideEviction, type EvictionHoldReason } from "../../../src/policy/eviction/decide.ts";
import { NO_EVICTIONS } from "../../../src/policy/eviction/state.ts";
import { CONFIG, PODS, Run, SHORT } from "./run.ts";
import { GI, MI, podOf, snapshotAt } from "./snapshots.ts";

const STILL = { grownPages: 0, returnedPages: 0 };
const SMALL = { ...STILL, memoryBytes: 90 * MI };

/** Run of a hog beside two pods that use next to nothing and move nothing. */
function hogRun(
  hog: Parameters<typeof podOf>[1] = {},
  knobs: ConstructorParameters<typeof Run>[1] = {},
): Run {
  const run = new Run([podOf("hog", hog), podOf("small"), podOf("other")], knobs);
  run.loads = { small: SMALL, other: SMALL };
  return run;
}

/** Expects that nobody is evicted, and that this is the reason in the end. */
function expectHeld(run: Run, reason: EvictionHoldReason): void {
  expect(run.requests).toEqual([]);
  expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason });
}

describe("nobody is evicted", () => {
  test("while pods recover, and the reason is reported: recovering", () => {
    for (const own of [{ stall: 0.9 }, {}]) {
      const run = new Run(PODS);
      run.free = { memoryAvailableBytes: 2 * GI };
      run.loads = { a: own, b: own, c: own };
      run.seconds(300, 0.9);
      expectHeld(run, "recovering");
    }
  });

  test("for pods that stall in limits of their own: self-inflicted", () => {
    const run = new Run(PODS);
    run.free = { memoryAvailableBytes: 2 * GI };
    run.loads = {
      a: { stall: 0.9, ownLimitEvents: 5 },
      b: { ...STILL, stall: 0 },
      c: { ...STILL, stall: 0 },
    };
    run.seconds(300, 0.3);
    expectHeld(run, "self-inflicted");
  });

  test("while swapping settles, for three minutes: settling", () => {
    const run = new Run(PODS);
    run.loads = {
      a: { ...STILL, memoryBytes: 2 * GI, takenPages: -1000, grownPages: 1000 },
      b: { ...STILL, takenPages: 1000 },
      c: STILL,
    };
    run.seconds(30, 0.5);
    expectHeld(run, "settling");
    run.seconds(149, 0.5);
    expectHeld(run, "settling");
    run.seconds(10, 0.5);
    expect(run.requests).toHaveLength(1);
  });

  test("for files that are read again and again: not-swap", () => {
    const run = new Run(PODS);
    run.traffic = { swapInPages: 0, fileRefaults: 5000 };
    run.seconds(300, 0.9, STILL);
    expectHeld(run, "not-swap");
  });

  test("if the end of no pod would relieve the others: nobody-relieves", () => {
    const run = new Run(PODS);
    run.loads = { a: { memoryBytes: 80 * MI }, b: { memoryBytes: 70 * MI }, c: { memoryBytes: 60 * MI } };
    run.seconds(300, 0.5);
    expectHeld(run, "nobody-relieves");
  });

  test.each<[string, Parameters<typeof podOf>[1]]>([
    ["in an excluded namespace", { namespace: "kube-system" }],
    ["critical", { priority: 2_000_000_000 }],
    ["static", { annotations: { "kubernetes.io/config.source": "file" } }],
  ])("in place of one that would relieve and is %s: relieving-kept", (_, hog) => {
    const run = hogRun(hog, { lastResort: "Delete" });
    run.seconds(600, 0.5);
    expectHeld(run, "relieving-kept");
  });

  test("in place of one that would relieve and stays beyond its time: relieving-leaving", () => {
    const run = hogRun({ isTerminating: true }, { lastResort: "Delete" });
    run.seconds(30, 0.5);
    expect(run.decisions.at(-1)).toMatchObject({ verdict: "await", podUid: "hog" });
    run.seconds(CONFIG.victimDeadlineSeconds + CONFIG.cooldownSeconds, 0.5);
    expectHeld(run, "relieving-leaving");
  });

  test("in place of one that would relieve and is refused: relieving-blocked", () => {
    for (const answer of ["blocked", "never"] as const) {
      const run = hogRun();
      run.answer = () => answer;
      run.seconds(600, 0.5);
      expect(new Set(run.asked)).toEqual(new Set(["hog"]));
      expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "relieving-blocked" });
    }
  });

  test("as the last resort but one that would relieve", () => {
    const run = hogRun({}, { lastResort: "Delete" });
    run.answer = (_, method) => (method === "delete" ? "accepted" : "never");
    run.seconds(30, 0.5);
    expect(run.requests.map(({ podUid, method }) => `${method} ${podUid}`)).toEqual([
      "evict hog",
      "delete hog",
    ]);
  });

  test("after two evictions that ended nothing: not-relieved", () => {
    const run = new Run(PODS, { cooldownSeconds: 10 });
    run.seconds(600, 0.5);
    expect(run.asked).toEqual(["a", "b"]);
    expect(run.decisions.at(-1)).toEqual({ verdict: "hold", reason: "not-relieved" });
  });

  test("on a node without pods: no-candidate", () => {
    const run = new Run([]);
    run.seconds(60, 0.5);
    expectHeld(run, "no-candidate");
  });

  test("while nothing is known of the pods' use: no-figures", () => {
    let state = NO_EVICTIONS;
    const reasons = Array.from({ length: 30 }, (_, second) => {
      const moment = { ...SHORT, stallMicroseconds: second * 5e5, swapInPages: second * 1000 };
      const step = decideEviction(state, snapshotAt(second, moment, PODS, []), CONFIG);
      state = step.state;
      return step.decision.verdict === "hold" ? step.decision.reason : step.decision.verdict;
    });
    expect(reasons.at(-1)).toBe("no-figures");
    expect(reasons).not.toContain("evict");
  });
});

test("harm is no reason where no threshold asks for it", () => {
  const busy = {
    name: "busy",
    allOf: [{ signal: "swapInPagesPerSecond", operator: ">", value: 5000 }],
  } as const;
  const immediate = { graceSeconds: 0, minClearSeconds: 0, isHard: false };
  for (const memoryAvailableBytes of [SHORT.memoryAvailableBytes, 2 * GI]) {
    const run = new Run(PODS, { evictionThresholds: [{ ...busy, ...immediate }] });
    run.free = { memoryAvailableBytes };
    run.seconds(30, 0.9);
    expect(new Set(run.decisions.map((decision) => JSON.stringify(decision)))).toEqual(
      new Set(['{"verdict":"hold","reason":"not-pressed"}']),
    );
  }
});

describe("what comes back after the cause has gone is recovery", () => {
  test("also where wasp has not ended it", () => {
    const run = hogRun();
    run.seconds(10, 0.5);
    // The kernel kills the hog; the others read their memory back for two minutes.
    run.pods = run.pods.filter(({ uid }) => uid !== "hog");
    run.loads = { small: { memoryBytes: 600 * MI }, other: { memoryBytes: 500 * MI } };
    run.free = { memoryAvailableBytes: 2 * GI };
    run.seconds(120, 0.9);
    expectHeld(run, "recovering");
  });
});

describe("of those that would relieve", () => {
  test("the first by the documents' order goes: over requests, then by priority", () => {
    const hogs = [podOf("high", { priority: 10 }), podOf("low", { priority: 1 })];
    const run = new Run(hogs);
    run.loads = { high: { memoryBytes: 900 * MI }, low: { memoryBytes: 600 * MI } };
    run.seconds(15, 0.5);
    expect(run.asked).toEqual(["low"]);
  });

  test("a pod of low priority that would not relieve stays", () => {
    const run = hogRun({ priority: 1000 });
    run.seconds(15, 0.5);
    expect(run.asked).toEqual(["hog"]);
  });

  test("a pod that is over its limit by swap that it was granted is not over its limit", () => {
    const containers = [
      { name: "app", id: "quiet", memoryRequestBytes: 500 * MI, memoryLimitBytes: 600 * MI },
    ];
    const run = new Run([podOf("hog"), podOf("quiet", { containers })]);
    const quiet = { ...STILL, memoryBytes: 600 * MI, swapBytes: 200 * MI };
    run.loads = { hog: { memoryBytes: 700 * MI }, quiet: { ...quiet, swapLimitBytes: 300 * MI } };
    run.seconds(15, 0.5);
    expect(run.asked).toEqual(["hog"]);
  });

  test("the one that thrashes goes, before a larger one that is quiet", () => {
    const run = new Run([podOf("large"), podOf("thrashing")]);
    run.loads = { large: { ...STILL, memoryBytes: 1000 * MI }, thrashing: { memoryBytes: 600 * MI } };
    run.seconds(15, 0.5);
    expect(run.asked).toEqual(["thrashing"]);
  });
});
