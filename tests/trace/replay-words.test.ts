import { describe, expect, test } from "bun:test";
import type { EvictionDecision, EvictionHoldReason } from "../../src/policy/eviction/decide.ts";
import { SIGNALS } from "../../src/policy/eviction/signals.ts";
import { candidatesOf } from "../../src/policy/eviction/victim.ts";
import type { PhaseBasis, RelievingPod } from "../../src/trace/replay.ts";
import { reasonOf } from "../../src/trace/replay-words.ts";
import { MI, podOf, sampleOf, snapshotAt } from "../policy/eviction/snapshots.ts";

const NAMES: Readonly<Record<EvictionHoldReason, true>> = {
  ...{ "mode-off": true, "not-pressed": true, "grace-period": true, excepted: true },
  ...{ recovering: true, "self-inflicted": true, "not-swap": true, settling: true, growing: true },
  ...{ cooldown: true, capped: true, "no-candidate": true, "nobody-relieves": true, "relieving-kept": true },
  ...{ "relieving-leaving": true, "relieving-blocked": true, "not-relieved": true, "past-unknown": true },
  ...{ stopped: true, "no-figures": true },
};
const REASONS = Object.keys(NAMES) as EvictionHoldReason[];

/** Returns a basis on which all signals have one value. */
function basisOf(figure: number | undefined, differences: Partial<PhaseBasis> = {}): PhaseBasis {
  const signals = Object.fromEntries(SIGNALS.map((signal) => [signal, figure])) as Record<
    (typeof SIGNALS)[number],
    number | undefined
  >;
  return {
    observation: {
      ...signals,
      ...{ pressureCause: "swap-in", stall: figure, anyStall: figure },
      ...{ harmedPods: ["web", "db"], excuse: undefined },
    },
    ...{ pods: 12, evictedLastHour: 2, cooldownSeconds: 41.5, relieving: [] },
    ...differences,
  };
}

function words(decision: EvictionDecision, basis: PhaseBasis): string {
  return reasonOf({ fromSeconds: 0, toSeconds: 1, decision, basis, isSupposed: false });
}

const hold = (reason: EvictionHoldReason, basis: PhaseBasis) => words({ verdict: "hold", reason }, basis);
const relieving = (name: string, leftOut: RelievingPod["leftOut"]): RelievingPod => ({
  pod: podOf(name),
  leftOut,
});

describe("the words of a hold", () => {
  test.each(REASONS)("%s are one line of at most 90 characters, whatever the figures", (reason) => {
    const largest = { pods: 1000, evictedLastHour: 1000, cooldownSeconds: 3600 };
    for (const figure of [undefined, 0, 1, 1_234_567]) {
      const text = hold(reason, basisOf(figure, largest));
      expect(text).toMatch(/^\S.{10,89}$/);
      expect(text).not.toMatch(/undefined|NaN/);
    }
  });

  test("have its figures", () => {
    const basis = basisOf(0.4);
    expect(hold("grace-period", basis)).toBe(
      "not long enough yet: harm 40 % of what calls for an eviction, stalled 40 %",
    );
    expect(hold("cooldown", basis)).toBe("relief has 42 s more to show");
    expect(hold("capped", basis)).toBe("2 evictions in the last hour, the maximum");
    expect(hold("not-relieved", basis)).toBe("two evictions have not ended it: stalled 40 %, swap 40 % full");
  });

  test("name who would help and why they may not go, and those of no other hold", () => {
    const basis = basisOf(0.4, { relieving: [relieving("hog", "critical"), relieving("db", "passed-over")] });
    expect(hold("relieving-kept", basis)).toBe(
      "2 pods would help, but may not go: shop/hog (critical), shop/db (passed-over)",
    );
    expect(hold("settling", basis)).not.toContain("hog");
  });
});

describe("the words of an eviction", () => {
  const [victim] = candidatesOf(
    snapshotAt(0, {}, [podOf("web")], [sampleOf("web", { memoryBytes: 120 * MI })]),
    undefined,
  );
  if (victim === undefined) throw new Error("no candidate");
  const evict: EvictionDecision = {
    ...{ verdict: "evict", method: "evict", victim, ranking: [victim], thresholds: ["swap-harm"] },
  };
  const OVER = "over its requests by 20 MiB, priority 0";

  test("have the threshold, the cause, the harmed pods and the victim's rank", () => {
    expect(words(evict, basisOf(0.4))).toBe(`swap-harm by swap-in, 2 pods harmed: ${OVER}`);
  });

  test("name those of the first five who would help that were left out", () => {
    const others = ["a", "b", "c", "d"].map((name) => relieving(name, "static"));
    const basis = basisOf(0.4, {
      relieving: [...others, relieving("web", undefined), relieving("e", "critical")],
    });
    expect(words(evict, basis)).toEndWith(
      `: ${OVER}; left out: shop/a (static), shop/b (static), shop/c (static), shop/d (static)`,
    );
  });
});

test("an awaited victim has no words", () => {
  expect(words({ verdict: "await", podUid: "hog", untilSeconds: 9 }, basisOf(0.4))).toBe("");
});
