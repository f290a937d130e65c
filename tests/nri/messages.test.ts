import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  encodeMessage,
  MAX_MESSAGE_BYTES,
  MessageReader,
  type TtrpcMessage,
} from "../../src/nri/messages.ts";
import { cut, someBytes } from "./bytes.ts";

test.each([
  [{ call: 1, type: 1, payload: "" }, "00000000000000010100"],
  [{ call: 0x01020304, type: 2, payload: "0aff" }, "000000020102030402000aff"],
])("%p is encoded", ({ call, type, payload }, hex) => {
  expect(
    Buffer.from(encodeMessage({ call, type, payload: Buffer.from(payload, "hex") })).toString("hex"),
  ).toBe(hex);
});

test("a message may have the largest size, and not one byte more", () => {
  const longest = { call: 3, type: 1, payload: new Uint8Array(MAX_MESSAGE_BYTES).fill(7) };
  const [read] = readAll(cut(encodeMessage(longest), [100_000]));
  expect(Buffer.compare(read?.payload ?? new Uint8Array(), longest.payload)).toBe(0);
  const header = encodeMessage({ ...longest, payload: new Uint8Array() });
  new DataView(header.buffer).setUint32(0, MAX_MESSAGE_BYTES + 1);
  const reason = `a message of ${MAX_MESSAGE_BYTES + 1} bytes: must be ${MAX_MESSAGE_BYTES} at most`;
  expect(() => readAll([header])).toThrow(reason);
  expect(() => readAll(cut(header, [3]))).toThrow(reason);
});

const messages = fc.array(
  fc.record({
    call: fc.nat({ max: 2 ** 32 - 1 }),
    type: fc.nat({ max: 255 }),
    // Longer than a reader's buffer.
    payload: someBytes(150_000),
  }),
  { maxLength: 6 },
);
const lengths = fc.array(fc.integer({ min: 1, max: 80_000 }), { minLength: 1 });

test("messages are the same however their stream is cut", () => {
  fc.assert(
    fc.property(messages, lengths, (sent, lengths) => {
      const bytes = Buffer.concat(sent.map(encodeMessage));
      const read = readAll(cut(bytes, lengths));
      expect(Buffer.compare(Buffer.concat(read.map(encodeMessage)), bytes)).toBe(0);
      expect(read.map(({ call, type }) => ({ call, type }))).toEqual(
        sent.map(({ call, type }) => ({ call, type })),
      );
    }),
  );
});

test("any bytes are messages, or refused", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (bytes) => {
      try {
        readAll(bytes);
      } catch (error) {
        expect(String(error)).toStartWith("Error: a message of ");
      }
    }),
  );
});

function readAll(pieces: readonly Uint8Array[]): TtrpcMessage[] {
  const reader = new MessageReader();
  const messages: TtrpcMessage[] = [];
  for (const piece of pieces)
    reader.read(piece, (message) => messages.push({ ...message, payload: Uint8Array.from(message.payload) }));
  return messages;
}
