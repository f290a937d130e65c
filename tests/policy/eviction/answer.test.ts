import { describe, expect, test } from "bun:test";
import type { EvictionAnswer } from "../../../src/policy/eviction/answer.ts";
import { CONFIG, PODS, Run } from "./run.ts";

describe("an answer", () => {
  test.each<[EvictionAnswer, number, string[]]>([
    ["blocked", 30, ["a", "b"]],
    ["never", 30, ["a", "b"]],
    // As after an eviction: the cooldown runs.
    ["gone", CONFIG.cooldownSeconds - 1, ["a"]],
    ["gone", CONFIG.cooldownSeconds + 1, ["a", "b"]],
    // Repeated, after a pause each time.
    ["failed", 14, ["a", "a", "a"]],
  ])("of %s leads to these requests", (answer, seconds, expected) => {
    const run = new Run(PODS);
    run.answer = (podUid) => (podUid === "a" ? answer : "accepted");
    while (run.requests.length === 0) run.second(0.5);
    run.seconds(seconds, 0.5);
    expect(run.asked).toEqual(expected);
  });

  test("that refuses every eviction leads to a deletion only as the last resort", () => {
    for (const [lastResort, methods] of [
      ["None", ["evict", "evict", "evict"]],
      ["Delete", ["evict", "evict", "evict", "delete"]],
    ] as const) {
      const run = new Run(PODS, { lastResort });
      run.answer = (_, method) => (method === "delete" ? "accepted" : "never");
      run.seconds(60, 0.5);
      expect(run.requests.map(({ method }) => method)).toEqual([...methods]);
    }
  });
});

test("a refused last resort is not repeated each second", () => {
  const run = new Run(PODS, { lastResort: "Delete" });
  run.answer = () => "never";
  run.seconds(200, 0.5);
  const times = run.requests.filter(({ method }) => method === "delete").map(({ atSeconds }) => atSeconds);
  expect(times.length).toBeGreaterThan(1);
  for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? at)).toBeGreaterThan(50);
});
