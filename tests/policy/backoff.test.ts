import { expect, test } from "bun:test";
import { backoffMilliseconds } from "../../src/policy/backoff.ts";

const range = { firstMilliseconds: 250, maxMilliseconds: 30_000 };

test.each([
  [1, 0, 0],
  [1, 0.5, 125],
  [1, 1, 250],
  [2, 1, 500],
  [3, 0.5, 500],
  [7, 1, 16_000],
  [8, 1, 30_000],
  [8, 0, 0],
  [5000, 0.5, 15_000],
])("after %d failures, at %d, it is %d ms", (failures, random, milliseconds) => {
  expect(backoffMilliseconds(failures, random, range)).toBe(milliseconds);
});
