import { describe, expect, test } from "bun:test";
import type { EvictionAnswer } from "../../../src/policy/eviction/answer.ts";
import { CONFIG, PODS, Run } from "./run.ts";

describe("an answer", () => {
  test.each<[EvictionAnswer, number, string[]]>([
    ["blocked", 30, ["a", "b"]],
    ["never", 30, ["a", "b"]],
    // As after an eviction: relief is waited for.
    ["gone", CONFIG.cooldownSeconds - 1, ["a"]],
    ["gone", CONFIG.cooldownSeconds + 1, ["a", "b"]],
    // Asked for again, after a pause each time.
    ["failed", 14, ["a", "a", "a"]],
  ])("of %s has the next one asked for", (answer, seconds, expected) => {
    const run = new Run(PODS);
    run.answer = (podUid) => (podUid === "a" ? answer : "accepted");
    while (run.requests.length === 0) run.second(0.5);
    run.seconds(seconds, 0.5);
    expect(run.requests.map(({ podUid }) => podUid)).toEqual(expected);
  });

  test("of a budget that never yields has nobody deleted, but for the last resort", () => {
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

test("the last resort, refused too, is not tried each second", () => {
  const run = new Run(PODS, { lastResort: "Delete" });
  run.answer = () => "never";
  run.seconds(200, 0.5);
  const times = run.requests.filter(({ method }) => method === "delete").map(({ atSeconds }) => atSeconds);
  expect(times.length).toBeGreaterThan(1);
  for (const [index, at] of times.slice(1).entries()) expect(at - (times[index] ?? at)).toBeGreaterThan(50);
});
