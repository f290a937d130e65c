import { describe, expect, test } from "bun:test";
import { planBinary } from "../../../src/install/binary/plan.ts";
import { options } from "../plan-facts.ts";

describe("the binary", () => {
  test("is refused where wasp runs from its source", () => {
    expect(planBinary(true, options).refusals).toEqual([]);
    expect(planBinary(false, options).refusals).toEqual([expect.stringContaining("source")]);
  });
});
