import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../../src/policy/limits/contest.ts";

/** Simulates a foreign write every so many seconds, and returns the times of wasp's corrections. */
function fight(everySeconds: number, seconds: number, maxPerMinute: number): number[] {
  let contest = UNCONTESTED;
  let isWrong = false;
  const undone: number[] = [];
  for (let now = 0; now < seconds; now++) {
    if (now % everySeconds === 0) isWrong = true;
    contest = isWrong ? contested(contest, now, maxPerMinute) : calmed(contest, now);
    if (!isWrong || restoreAt(contest, now, maxPerMinute) > now) continue;
    contest = restored(contest, now);
    undone.push(now);
    isWrong = false;
  }
  return undone;
}

describe("foreign writes to a limit", () => {
  test("are corrected at once while they are few", () => {
    expect(fight(10, 61, 10)).toEqual([0, 10, 20, 30, 40, 50, 60]);
  });

  test("are corrected once a minute if they do not end", () => {
    expect(fight(1, 300, 3)).toEqual([0, 1, 2, 62, 122, 182, 242]);
  });

  test("are a contest above the maximum, until two minutes after the last correction", () => {
    let contest = UNCONTESTED;
    for (const now of [0, 1]) contest = restored(contested(contest, now, 2), now);
    expect(contest.isContested).toBe(false);
    contest = contested(contest, 2, 2);
    expect(contest.isContested).toBe(true);
    expect(restoreAt(contest, 2, 2)).toBe(61);
    expect(calmed(contest, 120).isContested).toBe(true);
    expect(calmed(contest, 121)).toEqual(UNCONTESTED);
  });

  test("are corrected at most maxPerMinute times a minute, and at least once", () => {
    const every = fc.integer({ min: 1, max: 90 });
    fc.assert(
      fc.property(every, fc.integer({ min: 1, max: 20 }), (everySeconds, maxPerMinute) => {
        const undone = fight(everySeconds, 900, maxPerMinute);
        for (const from of undone) {
          expect(undone.filter((at) => at >= from && at < from + 60).length).toBeLessThanOrEqual(
            maxPerMinute,
          );
        }
        expect(undone.at(-1)).toBeGreaterThan(900 - 60 - everySeconds);
      }),
    );
  });
});
