import { expect, test } from "bun:test";
import fc from "fast-check";
import { ItemSplitter } from "../../src/cluster/item-splitter.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function split(
  text: string,
  cuts: readonly number[] = [],
  maxFrameBytes = 2 ** 20,
): { items: string[]; frame: string } {
  const items: string[] = [];
  let item: Uint8Array[] = [];
  const end = (mayBeNone: boolean) => {
    const whole = Buffer.concat(item).toString("utf8");
    if (!mayBeNone || whole.trim() !== "") items.push(whole);
    item = [];
  };
  const splitter = new ItemSplitter({ append: (bytes) => item.push(bytes.slice()), end }, maxFrameBytes);
  const bytes = bytesOf(text);
  let start = 0;
  for (const length of [...cuts, bytes.length]) {
    splitter.push(bytes.subarray(start, start + length));
    start = Math.min(start + length, bytes.length);
  }
  return { items, frame: splitter.frame };
}

test("a frame of any size is refused beyond its bound", () => {
  expect(() => split(" ".repeat(1001), [], 1000)).toThrow(
    "not a list: it has more than 1000 bytes beside its items",
  );
  expect(() => split(`{"items":[${"1,".repeat(5000)}1]}`, [], 1000)).not.toThrow();
});

test("items and frame are the same wherever the bytes are cut, with any white space", () => {
  // A round trip through JSON, which has no -0.
  const value = fc.jsonValue({ noUnicodeString: false }).map((it) => JSON.parse(JSON.stringify(it)));
  const spacing = fc.constantFrom(0, 1, "\t");
  fc.assert(
    fc.property(value, fc.array(value), fc.array(fc.nat(50)), spacing, (metadata, items, cuts, space) => {
      const found = split(
        JSON.stringify({ kind: "PodList", metadata, items, more: [items] }, null, space),
        cuts,
      );
      expect(found.items.map((item) => JSON.parse(item))).toEqual(items);
      expect(JSON.parse(found.frame)).toEqual({ kind: "PodList", metadata, items: [], more: [items] });
    }),
  );
});

test.each([
  ["no array", '{"items":{"items":[1]}}', [], '{"items":{"items":[1]}}'],
  ["another array", '{"others":[1,2]}', [], '{"others":[1,2]}'],
  ["an array outside of an object", "[[1],[2]]", [], "[[1],[2]]"],
  ["white space", '{"items":[ \n]}', [], '{"items":[]}'],
  ["nothing after a comma", '{"items":[1, ]}', ["1", " "], '{"items":[]}'],
  ["no end", '{"items":[1,{"a":', ["1"], '{"items":['],
])("%s", (_, text, items, frame) => {
  expect(split(text)).toEqual({ items, frame });
});
