import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { excessOf } from "../../src/host/json-size.ts";

const BOUNDS = { values: 10, levels: 3 };

describe("a JSON text", () => {
  test.each<[string, string | undefined]>([
    ["", undefined],
    ["[1,2,3,4,5,6,7,8,9,10]", undefined],
    ["[1,2,3,4,5,6,7,8,9,10,11]", "more than 10 values"],
    ['{"a":1,"b":2,"c":{"d":[4]}}', undefined],
    ["[[[]]]", undefined],
    ["[[[[", "more than 3 levels"],
    ["[{[{", "more than 3 levels"],
    ["[],[],[],[],[],[],", "more than 10 values"],
    ['{"a":"[[[[,,,,,,,,,,,,{{{{"}', undefined],
    ['{"a":"\\"[[[[,,,,,,,,,,,,"}', undefined],
    ['{"a":"\\\\"[[[[', "more than 3 levels"],
    ['"[[[[', undefined],
    ["]]]][[[[", undefined],
  ])("%j exceeds %p", (text, excess) => {
    expect(excessOf(text, BOUNDS)).toBe(excess);
  });

  // The same by counting what the parser made of it.
  function sizeOf(json: unknown): { values: number; levels: number } {
    if (typeof json !== "object" || json === null) return { values: 0, levels: 0 };
    const members = Object.values(json).map(sizeOf);
    return {
      values: members.reduce((sum, { values }) => sum + values, 1 + Math.max(0, members.length - 1)),
      levels: 1 + Math.max(0, ...members.map(({ levels }) => levels)),
    };
  }

  test("exceeds exactly the bounds below its size, whatever its strings hold", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const { values, levels } = sizeOf(JSON.parse(text));
        expect(excessOf(text, { values, levels })).toBeUndefined();
        if (values > 0) expect(excessOf(text, { values: values - 1, levels })).toContain(" values");
        if (levels > 0) expect(excessOf(text, { values, levels: levels - 1 })).toContain(" levels");
      }),
    );
  });
});
