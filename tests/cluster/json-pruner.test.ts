import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { JsonPruner, type Kept, members } from "../../src/cluster/json-pruner.ts";

const KEPT = members({ a: true, b: members({ a: true, c: members({ "": true }) }), 'é"': true });

function prune(text: string, cuts: readonly number[] = [], kept: Kept = KEPT): string {
  const pruner = new JsonPruner(kept);
  const bytes = new TextEncoder().encode(text);
  let start = 0;
  for (const length of [...cuts, bytes.length]) {
    pruner.push(bytes.slice(start, start + length));
    start = Math.min(start + length, bytes.length);
  }
  const pruned = new TextDecoder().decode(pruner.text);
  expect(pruner.bytes).toBe(pruner.text.length);
  return pruned;
}

/** Removes what is not kept from a value, the slow way. */
function pruned(value: unknown, kept: Kept): unknown {
  if (kept === true || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((element) => pruned(element, kept));
  const entries = Object.entries(value).flatMap(([name, member]) => {
    // A name that JSON has to escape is never kept.
    const ofMember = JSON.stringify(name) === `"${name}"` ? kept(name) : undefined;
    return ofMember === undefined ? [] : [[name, pruned(member, ofMember)]];
  });
  return Object.fromEntries(entries);
}

describe("pruned JSON", () => {
  test("is what is kept of it, wherever the bytes are cut, with any white space", () => {
    const key = fc.oneof(fc.constantFrom("a", "b", "c", "", "d", 'é"', "\\"), fc.string());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.jsonValue({ maxDepth: 0 }),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 6 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.array(fc.nat(9)), fc.constantFrom(0, 1, "\t"), (whole, cuts, space) => {
        const text = JSON.stringify(whole, null, space);
        const expected = JSON.stringify(pruned(JSON.parse(text), KEPT));
        expect(JSON.stringify(JSON.parse(prune(text, cuts)))).toBe(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test("has no member with a name of any length that is not kept", () => {
    const long = "x".repeat(100_000);
    const text = `{"${long}":1,"a":2,"${long}":{"a":3},"b":{"${long}":[4],"a":5}}`;
    expect(prune(text)).toBe('{"a":2,"b":{"a":5}}');
    expect(
      prune(
        text,
        Array.from({ length: 50_000 }, () => 7),
      ),
    ).toBe('{"a":2,"b":{"a":5}}');
  });

  test("survives what is no JSON", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[[\]{}",:\\ab1 ]*$/)),
        fc.array(fc.nat(5)),
        (text, cuts) => {
          expect(prune(text, cuts).length).toBeLessThanOrEqual(2 * text.length + 1);
        },
      ),
    );
  });

  test("is small and fast for a large value", () => {
    const pruner = new JsonPruner(KEPT);
    const piece = Buffer.from(`"${"\\\\".repeat(30_000)}",`);
    pruner.push(Buffer.from('{"d":['));
    for (let i = 0; i < 500; i++) pruner.push(piece);
    pruner.push(Buffer.from('0],"a":1}'));
    expect(Buffer.from(pruner.text).toString()).toBe('{"a":1}');
  });
});
