import { expect, test } from "bun:test";
import { Repeats } from "../../src/log/repeats.ts";

type Step = [atSeconds: number, text: string | undefined, told: number | undefined];

// A text is met, undefined is the end; what is told is how often the condition came untold before.
test.each<[string, Step[]]>([
  ["a condition is told when it begins", [[0, "refused", 0]]],
  [
    "and not again while it is the same",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [599, "refused", undefined],
    ],
  ],
  [
    "but after ten minutes, with how often it came",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [2, "refused", undefined],
      [600, "refused", 2],
      [601, "refused", undefined],
      [1200, "refused", 1],
    ],
  ],
  [
    "when it says something else",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [2, "timeout", 1],
      [3, "timeout", undefined],
    ],
  ],
  [
    "not each time that two texts take turns",
    [
      [0, "refused", 0],
      [1, "timeout", 0],
      [2, "refused", undefined],
      [3, "timeout", undefined],
      [600, "timeout", 2],
      [601, "refused", 0],
    ],
  ],
  [
    "when it ends, with how often it came",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [2, undefined, 1],
      [3, undefined, undefined],
    ],
  ],
  [
    "and when it begins anew",
    [
      [0, "refused", 0],
      [1, undefined, 0],
      [2, "refused", 0],
    ],
  ],
  ["an end without a beginning is not told", [[0, undefined, undefined]]],
])("%s", (_, steps) => {
  let nowSeconds = 0;
  const repeats = new Repeats(() => nowSeconds * 1000);
  for (const [atSeconds, text, told] of steps) {
    nowSeconds = atSeconds;
    expect(text === undefined ? repeats.end("kubelet") : repeats.meet("kubelet", text)).toBe(told);
  }
});

test("conditions do not know of each other", () => {
  const repeats = new Repeats(() => 0);
  expect([repeats.meet("a", "x"), repeats.meet("b", "x"), repeats.meet("a", "x")]).toEqual([0, 0, undefined]);
  expect([repeats.end("b"), repeats.end("a")]).toEqual([0, 1]);
});
