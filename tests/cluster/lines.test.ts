import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineSplitter } from "../../src/cluster/lines.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

test("lines are the same wherever their bytes are cut", () => {
  const line = fc.string({ unit: "binary" }).filter((text) => !text.includes("\n"));
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat(50)), (lines, rest, cuts) => {
      const bytes = bytesOf(lines.map((text) => `${text}\n`).join("") + rest);
      const splitter = new LineSplitter(10_000);
      const found: string[] = [];
      let start = 0;
      for (const length of [...cuts, bytes.length]) {
        found.push(...splitter.push(bytes.subarray(start, start + length)));
        start = Math.min(start + length, bytes.length);
      }
      expect(found).toEqual(lines);
      expect(splitter.pendingBytes).toBe(bytesOf(rest).length);
    }),
  );
});

test.each([
  ["in one piece", ["12345\n"]],
  ["before its end is there", ["123", "45"]],
  ["after another", ["1\n2\n34567\n"]],
])("a line that is too long is refused %s", (_, pieces) => {
  const splitter = new LineSplitter(4);
  expect(() => {
    for (const piece of pieces) splitter.push(bytesOf(piece));
  }).toThrow("a line exceeds 4 bytes");
});

test("a line of exactly the maximum size is accepted", () => {
  const splitter = new LineSplitter(4);
  expect(splitter.push(bytesOf("1234\n12"))).toEqual(["1234"]);
  expect(splitter.push(bytesOf("34\n"))).toEqual(["1234"]);
});
