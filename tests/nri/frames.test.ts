import { expect, test } from "bun:test";
import fc from "fast-check";
import { FrameReader, toFrames } from "../../src/nri/frames.ts";
import { cut, someBytes } from "./bytes.ts";

const MAX = 10 + 64 * 2 ** 20 + 2 ** 16;

test.each([
  ["nothing", 1, "", ""],
  ["a byte", 1, "ab", "0000000100000001ab"],
  ["the runtime's stream", 2, "0102", "00000002000000020102"],
])("%s is framed", (_, stream, bytes, framed) => {
  expect(Buffer.from(toFrames(stream, Buffer.from(bytes, "hex"))).toString("hex")).toBe(framed);
});

test.each([
  [4096, [4096]],
  [4097, [4096, 1]],
  [10_000, [4096, 4096, 1808]],
])("%d bytes become frames of %p", (length, lengths) => {
  const sent = Buffer.from(toFrames(7, new Uint8Array(length).fill(1)));
  let at = 0;
  for (const expected of lengths) {
    expect(sent.readUInt32BE(at)).toBe(7);
    expect(sent.readUInt32BE(at + 4)).toBe(expected);
    at += 8 + expected;
  }
  expect(at).toBe(sent.length);
});

test("a frame may hold a whole message, and not one byte more", () => {
  const header = (bytes: number) =>
    Buffer.from([0, 0, 0, 9, ...[24, 16, 8, 0].map((bits) => (bytes >> bits) & 255)]);
  expect(read([header(MAX)])).toEqual(new Map());
  expect(() => read([header(MAX + 1)])).toThrow(
    `a frame of ${MAX + 1} bytes for connection 9: must be ${MAX} at most`,
  );
  expect(() => read([Buffer.alloc(8, 255)])).toThrow("a frame of 4294967295 bytes");
});

const streams = fc.array(fc.tuple(fc.nat({ max: 3 }), someBytes(9000)), { maxLength: 8 });
const lengths = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 });

test("streams are the same however their frames are cut", () => {
  fc.assert(
    fc.property(streams, lengths, (parts, lengths) => {
      const sent = Buffer.concat(parts.map(([stream, bytes]) => toFrames(stream, bytes)));
      const expected = new Map<number, Buffer>();
      for (const [stream, bytes] of parts.filter(([, { length }]) => length > 0))
        expected.set(stream, Buffer.concat([expected.get(stream) ?? Buffer.alloc(0), bytes]));
      expect(read(cut(sent, lengths))).toEqual(expected);
    }),
  );
});

test("any bytes are frames, or refused", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (pieces) => {
      try {
        read(pieces);
      } catch (error) {
        expect(String(error)).toStartWith("Error: a frame of ");
      }
    }),
  );
});

function read(pieces: readonly Uint8Array[]): Map<number, Buffer> {
  const reader = new FrameReader();
  const streams = new Map<number, Buffer>();
  for (const piece of pieces)
    reader.read(piece, (stream, bytes) =>
      streams.set(stream, Buffer.concat([streams.get(stream) ?? Buffer.alloc(0), bytes])),
    );
  return streams;
}
