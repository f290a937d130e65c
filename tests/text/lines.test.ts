import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineSplitter } from "../../src/text/lines.ts";

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
      expect(splitter.end()).toEqual(rest === "" ? [] : [rest]);
      expect(splitter.pendingBytes).toBe(0);
    }),
  );
});

test.each([
  ["in one piece", ["12345\n"], 1],
  ["before its end is there", ["123", "45"], 1],
  ["after other lines", ["1\n2\n34567\n"], 3],
])("a line that is too long is refused %s", (_, pieces, number) => {
  const splitter = new LineSplitter(4);
  expect(() => {
    for (const piece of pieces) splitter.push(bytesOf(piece));
  }).toThrow(`line ${number} exceeds 4 bytes`);
});

test("a line of exactly the maximum size is accepted", () => {
  const splitter = new LineSplitter(4);
  expect(splitter.push(bytesOf("1234\n12"))).toEqual(["1234"]);
  expect(splitter.push(bytesOf("34\n"))).toEqual(["1234"]);
});

test("an overlong line is cut between characters into parts of at most the maximum size", () => {
  const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.includes("\n"));
  fc.assert(
    fc.property(line, fc.integer({ min: 4, max: 20 }), (text, maxLineBytes) => {
      const splitter = new LineSplitter(maxLineBytes, "cut");
      const parts = [...splitter.push(bytesOf(text)), ...splitter.end()];
      expect(parts.join("")).toBe(text);
      expect(Math.max(...parts.map((part) => bytesOf(part).length))).toBeLessThanOrEqual(maxLineBytes);
    }),
  );
});

test("bytes that are not UTF-8 are cut at the maximum size", () => {
  const splitter = new LineSplitter(4, "cut");
  const parts = [...splitter.push(new Uint8Array(10).fill(0x80)), ...splitter.end()];
  expect(parts.map((part) => part.length)).toEqual([4, 4, 2]);
});
