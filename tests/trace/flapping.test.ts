import { expect, test } from "bun:test";
import type { EvictionDecision, EvictionHoldReason } from "../../src/policy/eviction/decide.ts";
import { candidatesOf } from "../../src/policy/eviction/victim.ts";
import { foldFlapping } from "../../src/trace/flapping.ts";
import type { ReplayedPhase } from "../../src/trace/replay.ts";
import { podOf, sampleOf, snapshotAt } from "../policy/eviction/snapshots.ts";

const REASONS: Readonly<Record<string, EvictionHoldReason>> = {
  n: "not-pressed",
  g: "grace-period",
  r: "recovering",
};

const [victim] = candidatesOf(snapshotAt(0, {}, [podOf("web")], [sampleOf("web")]), undefined);
if (victim === undefined) throw new Error("no candidate");
const EVICT: EvictionDecision = {
  ...{ verdict: "evict", method: "evict", victim, ranking: [victim], thresholds: ["swap-harm"] },
};

/** Returns phases of these letters, each of so many seconds: `n30 g5`; `e` is an eviction. */
function phasesOf(text: string): ReplayedPhase[] {
  let at = 0;
  return text.split(" ").map((word) => {
    const reason = REASONS[word[0] ?? ""];
    const decision: EvictionDecision = reason === undefined ? EVICT : { verdict: "hold", reason };
    const fromSeconds = at;
    at += Number(word.slice(1));
    const basis = { observation: {}, pods: 1, evictedLastHour: 0, cooldownSeconds: 0, relieving: [] };
    return { ...{ fromSeconds, toSeconds: at, decision, isSupposed: false }, basis } as never;
  });
}

test.each<[string, string, number[]]>([
  ["three changes back and forth", "n5 g5 n5 g5", [4]],
  ["two changes alone", "n5 g5 n5", [1, 1, 1]],
  ["phases of thirty seconds", "n30 g5 n30 g5 n30", [1, 1, 1, 1, 1]],
  ["phases of nearly thirty seconds", "n29.9 g5 n29.9 g5", [4]],
  ["long phases before and after", "n300 g5 n5 g5 n5 g5 n300", [1, 5, 1]],
  ["a long phase within", "n5 g5 n5 g5 n60 g5 n5 g5 n5", [4, 1, 4]],
  ["three reasons in turn", "n5 g5 r5 n5 g5 r5 n5", [1, 1, 1, 1, 1, 1, 1]],
  ["one pair after another", "n5 g5 n5 g5 r5 g5 r5 g5", [4, 4]],
  ["evictions", "n5 e1 n5 e1 n5 e1", [1, 1, 1, 1, 1, 1]],
  ["an eviction within", "g5 n5 g5 n5 e1 g5 n5 g5 n5", [4, 1, 4]],
])("%s", (_, text, lengths) => {
  const phases = phasesOf(text);
  const runs = foldFlapping(phases);
  expect(runs.map(({ length }) => length)).toEqual(lengths);
  expect(runs.flat()).toEqual(phases);
});
