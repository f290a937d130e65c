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
  refaultsPerSecond: 0,
  harm: 0,
  pressureCause: undefined,
  stall: 0,
  anyStall: 0,
  harmedPods: [],
  excuse: undefined,
};

const threshold: Threshold = {
  name: "stall",
  allOf: [{ signal: "memoryPressure", operator: ">=", value: 0.1 }],
  graceSeconds: 10,
  minClearSeconds: 30,
  isHard: false,
};

/** Returns true for each second at which the threshold is crossed, by the pressure at each second. */
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

  test("is not met by an unknown signal, whatever the operator", () => {
    for (const operator of [">", ">=", "<", "<="] as const) {
      const condition = { signal: "memoryPressure", operator, value: 0 } as const;
      expect(isMet({ ...threshold, allOf: [condition] }, { ...CALM, memoryPressure: undefined })).toBe(false);
    }
  });

  test("of a fallback is met only while the signal that it replaces is unknown", () => {
    const swap = { signal: "swapUtilization", operator: ">=", value: 0.9 } as const;
    const fallback = { ...threshold, allOf: [swap], onlyWithout: "memoryPressure" } as const;
    const full = { ...CALM, swapUtilization: 1 };
    expect(isMet(fallback, { ...full, memoryPressure: 0 })).toBe(false);
    expect(isMet(fallback, { ...full, memoryPressure: undefined })).toBe(true);
  });

  test("is met only together with all others", () => {
    const swapIn = { signal: "swapInPagesPerSecond", operator: ">", value: 10 } as const;
    const both = { ...threshold, allOf: [...threshold.allOf, swapIn] };
    expect(isMet(both, { ...CALM, memoryPressure: 1 })).toBe(false);
    expect(isMet(both, { ...CALM, memoryPressure: 1, swapInPagesPerSecond: 11 })).toBe(true);
    expect(isMet({ ...threshold, allOf: [] }, { ...CALM, memoryPressure: 1 })).toBe(false);
  });
});

describe("an exception", () => {
  const unless = { signal: "swapSettling", operator: ">=", value: 0.1 } as const;

  /**
   * Returns the states of the threshold with its exception, by the settled share at each second of a stall, or of none.
   */
  function statesBy(settling: readonly (number | undefined | "calm")[]) {
    let state = NEVER_MET;
    return settling.map((part, second) => {
      const observation = part === "calm" ? CALM : { ...CALM, memoryPressure: 0.5, swapSettling: part };
      state = updateThreshold({ ...threshold, unless }, state, observation, second);
      return state;
    });
  }

  test("delays the crossing of a threshold, while its grace period runs", () => {
    const states = statesBy([...seconds(15, 0.1), 0.09]);
    expect(states.map(({ isCrossed }) => isCrossed).indexOf(true)).toBe(15);
    expect(states.map(({ isExcepted }) => isExcepted).indexOf(true)).toBe(10);
    expect(states.at(-1)?.isExcepted).toBe(false);
  });

  test("leaves a crossed threshold crossed, and suspends it while it lasts", () => {
    const states = statesBy([...seconds(11, 0), 0.5, 0]);
    expect(states.slice(-3).map(({ isCrossed }) => isCrossed)).toEqual([true, true, true]);
    expect(states.slice(-3).map(({ isExcepted }) => isExcepted)).toEqual([false, true, false]);
  });

  test("immediately suspends a crossed threshold that is met again", () => {
    const [crossed, calm, again] = statesBy([...seconds(11, 0), "calm", 0.5]).slice(-3);
    expect(crossed).toMatchObject({ isCrossed: true, isExcepted: false });
    expect(calm).toMatchObject({ isCrossed: true, isExcepted: false });
    expect(again).toMatchObject({ isCrossed: true, isExcepted: true });
  });

  test("does not apply while its signal is unknown", () => {
    expect(statesBy(seconds(11, undefined)).at(-1)).toMatchObject({ isCrossed: true, isExcepted: false });
  });
});

describe("a threshold", () => {
  test("is crossed after its grace period, and not before", () => {
    const crossed = crossedBy(seconds(12, 0.5));
    expect(crossed.indexOf(true)).toBe(10);
  });

  test("restarts its grace period after each break", () => {
    expect(crossedBy([...seconds(10, 0.5), 0, ...seconds(10, 0.5)])).not.toContain(true);
    expect(crossedBy([...seconds(10, 0.5), undefined, ...seconds(11, 0.5)]).at(-1)).toBe(true);
  });

  test("stays crossed until its clear time is over", () => {
    const crossed = crossedBy([...seconds(11, 0.5), ...seconds(40, 0)]);
    expect(crossed.lastIndexOf(true)).toBe(10 + 29);
    expect(crossedBy([...seconds(11, 0.5), ...seconds(20, 0), 0.5, ...seconds(29, 0)]).at(-1)).toBe(true);
  });

  test("is crossed only after as many consecutive seconds as its grace period", () => {
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
