import { expect, test } from "bun:test";
import { Repeats } from "../../src/log/repeats.ts";

type Step = [atSeconds: number, text: string | undefined, unlogged: number | undefined];

// A text is an occurrence of the condition, an undefined one its end; the last figure is the number of unlogged ones before.
test.each<[string, Step[]]>([
  ["a condition is logged when it begins", [[0, "refused", 0]]],
  [
    "and not again while it is the same",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [599, "refused", undefined],
    ],
  ],
  [
    "but again after ten minutes, with the number of its occurrences",
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
    "when its text changes",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [2, "timeout", 1],
      [3, "timeout", undefined],
    ],
  ],
  [
    "not each time that two texts alternate",
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
    "when it ends, with the number of its occurrences",
    [
      [0, "refused", 0],
      [1, "refused", undefined],
      [2, undefined, 1],
      [3, undefined, undefined],
    ],
  ],
  [
    "and when it begins again",
    [
      [0, "refused", 0],
      [1, undefined, 0],
      [2, "refused", 0],
    ],
  ],
  ["an end without a beginning is not logged", [[0, undefined, undefined]]],
])("%s", (_, steps) => {
  let nowSeconds = 0;
  const repeats = new Repeats(() => nowSeconds * 1000);
  for (const [atSeconds, text, unlogged] of steps) {
    nowSeconds = atSeconds;
    expect(text === undefined ? repeats.end("kubelet") : repeats.begin("kubelet", text)).toBe(unlogged);
  }
});

test("conditions are independent of each other", () => {
  const repeats = new Repeats(() => 0);
  expect([repeats.begin("a", "x"), repeats.begin("b", "x"), repeats.begin("a", "x")]).toEqual([
    0,
    0,
    undefined,
  ]);
  expect([repeats.end("b"), repeats.end("a")]).toEqual([0, 1]);
});
