import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Observation } from "../../../src/policy/eviction/signals.ts";
import { isMet, NEVER_MET, type Threshold, updateThreshold } from "../../../src/policy/eviction/threshold.ts";

const CALM: Observation = {
  swapUtilization: 0,
  swapInPagesPerSecond: 0,
  swapOutPagesPerSecond: 0,
  swapSettling: 0,
  swapOvercommit: 0,
  memoryAvailable: 1,
  memoryAvailableBytes: 1e9,
  memoryOvercommit: 0.5,
  requestOvercommit: 0.5,
  memoryPressure: 0,
  pressureCause: undefined,
  stall: 0,
};

const threshold: Threshold = {
  name: "stall",
  allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
  graceSeconds: 10,
  minClearSeconds: 30,
  isHard: false,
};

/** Whether the threshold is crossed at each second, by what the pressure is then. */
function crossedBy(pressures: readonly (number | undefined)[]): boolean[] {
  let state = NEVER_MET;
  return pressures.map((memoryPressure, second) => {
    state = updateThreshold(threshold, state, { ...CALM, memoryPressure }, second);
    return state.isCrossed;
  });
}

const seconds = (count: number, value: number | undefined) => Array.from({ length: count }, () => value);

describe("a condition", () => {
  test.each([
    [">", 0.1, false],
    [">=", 0.1, true],
    ["<", 0.1, false],
    ["<=", 0.1, true],
    [">", 0.11, true],
    ["<", 0.09, true],
  ] as const)("%s 0.1 of %p is met: %p", (operator, figure, expected) => {
    const condition = { signal: "memoryPressure", operator, value: 0.1 } as const;
    expect(isMet({ ...threshold, allOf: [condition] }, { ...CALM, memoryPressure: figure })).toBe(expected);
  });

  test("is not met by a signal that cannot be told, whatever the operator", () => {
    for (const operator of [">", ">=", "<", "<="] as const) {
      const condition = { signal: "memoryPressure", operator, value: 0 } as const;
      expect(isMet({ ...threshold, allOf: [condition] }, { ...CALM, memoryPressure: undefined })).toBe(false);
    }
  });

  test("of a fallback is met only as long as the signal that it stands in for cannot be told", () => {
    const swap = { signal: "swapUtilization", operator: ">=", value: 0.9 } as const;
    const fallback = { ...threshold, allOf: [swap], onlyWithout: "memoryPressure" } as const;
    const full = { ...CALM, swapUtilization: 1 };
    expect(isMet(fallback, { ...full, memoryPressure: 0 })).toBe(false);
    expect(isMet(fallback, { ...full, memoryPressure: undefined })).toBe(true);
  });

  test("is met together with all others, and by none alone", () => {
    const swapIn = { signal: "swapInPagesPerSecond", operator: ">", value: 10 } as const;
    const both = { ...threshold, allOf: [...threshold.allOf, swapIn] };
    expect(isMet(both, { ...CALM, memoryPressure: 1 })).toBe(false);
    expect(isMet(both, { ...CALM, memoryPressure: 1, swapInPagesPerSecond: 11 })).toBe(true);
    expect(isMet({ ...threshold, allOf: [] }, { ...CALM, memoryPressure: 1 })).toBe(false);
  });
});

describe("an exception", () => {
  const unless = { signal: "swapSettling", operator: ">=", value: 0.1 } as const;

  /** What becomes of the threshold with its exception, by how much settles at each second of a stall, or of none. */
  function statesBy(settling: readonly (number | undefined | "calm")[]) {
    let state = NEVER_MET;
    return settling.map((part, second) => {
      const observation = part === "calm" ? CALM : { ...CALM, memoryPressure: 0.5, swapSettling: part };
      state = updateThreshold({ ...threshold, unless }, state, observation, second);
      return state;
    });
  }

  test("keeps a threshold from being crossed, and its grace period runs", () => {
    const states = statesBy([...seconds(15, 0.1), 0.09]);
    expect(states.map(({ isCrossed }) => isCrossed).indexOf(true)).toBe(15);
    expect(states.map(({ isExcepted }) => isExcepted).indexOf(true)).toBe(10);
    expect(states.at(-1)?.isExcepted).toBe(false);
  });

  test("lets a threshold stay crossed that was, and calls it off for as long as it lasts", () => {
    const states = statesBy([...seconds(11, 0), 0.5, 0]);
    expect(states.slice(-3).map(({ isCrossed }) => isCrossed)).toEqual([true, true, true]);
    expect(states.slice(-3).map(({ isExcepted }) => isExcepted)).toEqual([false, true, false]);
  });

  test("calls off at once what was crossed, and is met again", () => {
    const [crossed, calm, again] = statesBy([...seconds(11, 0), "calm", 0.5]).slice(-3);
    expect(crossed).toMatchObject({ isCrossed: true, isExcepted: false });
    expect(calm).toMatchObject({ isCrossed: true, isExcepted: false });
    expect(again).toMatchObject({ isCrossed: true, isExcepted: true });
  });

  test("is none where its signal cannot be told", () => {
    expect(statesBy(seconds(11, undefined)).at(-1)).toMatchObject({ isCrossed: true, isExcepted: false });
  });
});

describe("a threshold", () => {
  test("is crossed after its grace period, and not before", () => {
    const crossed = crossedBy(seconds(12, 0.5));
    expect(crossed.indexOf(true)).toBe(10);
  });

  test("has its grace period begin anew after each break", () => {
    expect(crossedBy([...seconds(10, 0.5), 0, ...seconds(10, 0.5)])).not.toContain(true);
    expect(crossedBy([...seconds(10, 0.5), undefined, ...seconds(11, 0.5)]).at(-1)).toBe(true);
  });

  test("stays crossed until it was unmet for long enough", () => {
    const crossed = crossedBy([...seconds(11, 0.5), ...seconds(40, 0)]);
    expect(crossed.lastIndexOf(true)).toBe(10 + 29);
    expect(crossedBy([...seconds(11, 0.5), ...seconds(20, 0), 0.5, ...seconds(29, 0)]).at(-1)).toBe(true);
  });

  test("is crossed only after as many seconds in a row as its grace period has", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 100 }), (isMetAt) => {
        const crossed = crossedBy(isMetAt.map((met) => (met ? 1 : 0)));
        const first = crossed.indexOf(true);
        if (first === -1) return;
        expect(isMetAt.slice(first - 10, first + 1)).toEqual(Array.from({ length: 11 }, () => true));
      }),
    );
  });
});
