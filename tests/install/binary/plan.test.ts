import { describe, expect, test } from "bun:test";
import { planBinary } from "../../../src/install/binary/plan.ts";
import { options } from "../plan-facts.ts";

describe("the binary", () => {
  test("is refused where wasp runs from its source", () => {
    expect(planBinary({ isCompiled: true }, options).refusals).toEqual([]);
    expect(planBinary({ isCompiled: false }, options).refusals).toEqual([expect.stringContaining("source")]);
  });
});
