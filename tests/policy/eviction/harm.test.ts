import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  ALL_PODS,
  type HarmExcuse,
  type HarmInput,
  type HarmState,
  harmedOf,
  harmOf,
  updateHarm,
} from "../../../src/policy/eviction/harm.ts";

const CALM: HarmInput = { stall: 0, meanStall: 0, excuse: undefined, returnedShare: 1 };
const STALLED: HarmInput = { stall: 0.4, meanStall: 0.4, excuse: undefined, returnedShare: 1 };
const ONE_WAY: HarmInput = { ...STALLED, returnedShare: 0 };
const DEAD: HarmInput = { ...STALLED, stall: 0.9, meanStall: 0.9 };
const excused = (excuse: HarmExcuse): HarmInput => ({ ...DEAD, excuse });

/** Returns the harm of a pod after each of these seconds. */
function harmAfter(inputs: readonly HarmInput[], key = "pod"): number[] {
  let state: HarmState = {};
  return inputs.map((input) => {
    state = updateHarm(state, new Map([[key, input]]), 1);
    return harmOf(state);
  });
}

const seconds = (count: number, input: HarmInput) => Array.from({ length: count }, () => input);
const times = (count: number, cycle: readonly HarmInput[]) =>
  Array.from({ length: count }, () => cycle).flat();

/** Returns the number of seconds after which the pod is harmed; undefined if it never is. */
function harmedAfter(inputs: readonly HarmInput[]): number | undefined {
  const index = harmAfter(inputs).findIndex((harm) => harm >= 1);
  return index === -1 ? undefined : index + 1;
}

describe("a pod is harmed", () => {
  test.each<[string, readonly HarmInput[], number | undefined]>([
    ["by a stall that lasts, the sooner the more of what goes out comes back", seconds(60, STALLED), 13],
    ["by a stall that lasts while pages go one way, which counts plainly", seconds(60, ONE_WAY), 15],
    ["sooner by one in which next to nothing runs", seconds(60, DEAD), 9],
    [
      "no sooner by one in which nothing runs while pages go one way",
      seconds(60, { ...DEAD, returnedShare: 0 }),
      15,
    ],
    ["by a stall of a fifth", seconds(60, { ...STALLED, stall: 0.2, meanStall: 0.2 }), 13],
    ["never by less", seconds(3600, { ...STALLED, stall: 0.199, meanStall: 0.199 }), undefined],
    [
      "never by a stall that is unknown",
      seconds(3600, { ...STALLED, stall: undefined, meanStall: undefined }),
      undefined,
    ],
    ["by eight seconds in twelve", times(60, [...seconds(8, STALLED), ...seconds(4, CALM)]), 18],
    ["by a third of the time", times(60, [...seconds(4, STALLED), ...seconds(8, CALM)]), 52],
    ["never by a seventh of the time", times(600, [STALLED, ...seconds(6, CALM)]), undefined],
    [
      "never by a spike of ten seconds a minute",
      times(60, [...seconds(10, STALLED), ...seconds(50, CALM)]),
      undefined,
    ],
    ["by settling swap after three minutes", seconds(600, { ...DEAD, excuse: "settling" }), 181],
    [
      "by a minute of settling and then the rest",
      [...seconds(60, excused("settling")), ...seconds(20, ONE_WAY)],
      70,
    ],
    ["never while it recovers", seconds(3600, excused("recovering")), undefined],
    ["never within its own limit", seconds(3600, excused("self-inflicted")), undefined],
    ["never by files", seconds(3600, excused("not-swap")), undefined],
    ["never by waiting for memory that it takes", seconds(3600, excused("growing")), undefined],
  ])("%s", (_, inputs, expected) => {
    expect(harmedAfter(inputs)).toBe(expected);
  });

  test.each([
    [0.1, true],
    [0.099, false],
  ])("by a stall of all pods together of %p: %p", (stall, isHarmed) => {
    const harm = harmAfter(seconds(60, { ...STALLED, stall, meanStall: stall }), ALL_PODS).at(-1) ?? 0;
    expect(harm >= 1).toBe(isHarmed);
  });

  test("by a gap of 70 s between two looks, if it was stalled in it", () => {
    const state = updateHarm({}, new Map([["pod", STALLED]]), 70);
    expect(harmOf(state)).toBeGreaterThanOrEqual(1);
    expect(harmedOf(state)).toEqual(["pod"]);
    expect(harmedOf(updateHarm({}, new Map([["pod", CALM]]), 70))).toEqual([]);
  });
});

describe("harm", () => {
  test("ends within seconds once memory is not short any more, however long it lasted", () => {
    const after = harmAfter([...seconds(600, DEAD), ...seconds(6, excused("recovering"))]);
    expect(after[599]).toBeGreaterThan(1);
    expect(after[600]).toBeLessThan(1);
    expect(after.at(-1)).toBe(0);
  });

  test("is forgotten after a minute and a half of calm, however long it lasted", () => {
    const after = harmAfter([...seconds(600, DEAD), ...seconds(90, CALM)]);
    expect(after[600 + 5]).toBeGreaterThanOrEqual(1);
    expect(after[600 + 15]).toBeLessThan(1);
    expect(after.at(-1)).toBe(0);
  });

  test("is that of the most harmed pod, and names the harmed ones", () => {
    const inputs = new Map([
      ["a", STALLED],
      ["b", CALM],
      ["c", ONE_WAY],
    ]);
    const state = updateHarm({}, inputs, 14);
    expect(harmedOf(state)).toEqual(["a"]);
    expect(harmOf(state)).toBe(
      Math.max(...Object.values(state)) /
        Math.max(...Object.values(updateHarm({}, new Map([["c", ONE_WAY]]), 14.95))),
    );
    expect(harmOf({})).toBe(0);
  });

  test("of a pod that is gone is forgotten", () => {
    const before = updateHarm({}, new Map([["a", STALLED]]), 20);
    expect(updateHarm(before, new Map([["b", CALM]]), 1)).toEqual({});
  });

  test("of all pods together is each one's, once pods are sampled", () => {
    const before = updateHarm({}, new Map([[ALL_PODS, STALLED]]), 10);
    const now = updateHarm(
      before,
      new Map([
        ["a", STALLED],
        ["b", CALM],
      ]),
      3,
    );
    expect(harmedOf(now)).toEqual(["a"]);
    expect(now["b"]).toBeGreaterThan(0);
  });
});

describe("in any scenario", () => {
  const anyInput = fc.record({
    stall: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    meanStall: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    excuse: fc.constantFrom<(HarmExcuse | undefined)[]>(
      undefined,
      undefined,
      "recovering",
      "settling",
      "not-swap",
    ),
    returnedShare: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  test("nobody is harmed in less than nine seconds", () => {
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 8 }), (inputs) => {
        expect(harmedAfter(inputs)).toBeUndefined();
      }),
    );
  });

  test("less stall, or an excuse, never harms more", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyInput, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean())),
        (drawn) => {
          const harder = harmAfter(drawn.map(([input]) => input));
          const milder = harmAfter(
            drawn.map(([input, factor, isExcused]) => ({
              ...input,
              stall: input.stall === undefined ? undefined : input.stall * factor,
              meanStall: input.meanStall === undefined ? undefined : input.meanStall * factor,
              excuse: isExcused ? "recovering" : input.excuse,
            })),
          );
          for (const [index, harm] of milder.entries())
            expect(harm).toBeLessThanOrEqual((harder[index] ?? 0) + 1e-9);
        },
      ),
    );
  });
});
