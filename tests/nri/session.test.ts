import { expect, test } from "bun:test";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { Plugin } from "../../src/nri/api_pb.ts";
import type { PluginHandlers } from "../../src/nri/handlers.ts";
import { Session } from "../../src/nri/session.ts";
import { RequestSchema } from "../../src/nri/ttrpc_pb.ts";
import { cut } from "./bytes.ts";
import { framed, message } from "./fake-runtime.ts";

const handlers: PluginHandlers = {
  configure() {},
  synchronize: (_, containers) =>
    containers.map(({ id }) => ({ containerId: id, unified: { "memory.high": "max" } })),
  createContainer(pod, { name, memoryLimitBytes }) {
    if (name === "") throw new Error(`${pod.name}: a container without a name`);
    return memoryLimitBytes === undefined ? {} : { "memory.high": String(memoryLimitBytes) };
  },
  updateContainer: (pod, _, memoryLimitBytes) => ({
    ...pod.labels,
    high: String(memoryLimitBytes),
  }),
  stopContainer() {},
  startedContainer() {},
  removeContainer() {},
  disconnected() {},
};

/** Returns the result of pieces that a session receives one after the other. */
function outcomeOf(pieces: readonly Uint8Array[]): { sent: Buffer; isClosed: boolean } {
  const sent: Uint8Array[] = [];
  const outlet = {
    isClosed: false,
    write: (bytes: Uint8Array) => void sent.push(bytes),
    close() {
      const wasOpen = !this.isClosed;
      this.isClosed = true;
      return wasOpen;
    },
  };
  const session = new Session(
    outlet,
    handlers,
    { registrationMilliseconds: 1, requestMilliseconds: 1 },
    () => {},
  );
  for (const piece of pieces) if (!outlet.isClosed) session.received(piece);
  const { isClosed } = outlet;
  session.close();
  return { sent: Buffer.concat(sent), isClosed };
}

const word = fc.string({ maxLength: 12, unit: "binary" }).map((text) => text.toWellFormed());
const words = fc.dictionary(word, word, { maxKeys: 3 });
const resources = fc.record({
  memory: fc.record(
    { limit: fc.record({ value: fc.bigInt({ min: -1n, max: 2n ** 62n }) }) },
    { requiredKeys: [] },
  ),
  unified: words,
});
const pod = fc.record({ id: word, name: word, labels: words, annotations: words });
const container = fc.record({
  id: word,
  name: word,
  state: fc.nat({ max: 9 }),
  labels: words,
  annotations: fc.record({ long: fc.constantFrom("", "x".repeat(5000)) }),
  linux: fc.record({ resources, cgroupsPath: word }),
});
const anyRequest = fc.oneof(
  fc.record({ method: fc.constant("configure" as const), request: fc.record({ config: word }) }),
  fc.record({
    method: fc.constant("synchronize" as const),
    request: fc.record({
      pods: fc.array(pod, { maxLength: 3 }),
      containers: fc.array(container, { maxLength: 3 }),
      more: fc.boolean(),
    }),
  }),
  fc.record({
    method: fc.constantFrom(
      "createContainer",
      "updateContainer",
      "stopContainer",
      "removeContainer",
      "postStartContainer",
      "stateChange",
    ),
    request: fc.record(
      { pod, container, linuxResources: resources, event: fc.nat({ max: 20 }) },
      { requiredKeys: ["pod"] },
    ),
  }),
);

// As a runtime sends them: each in its own frame.
const conversation = fc
  .array(fc.tuple(anyRequest, fc.integer({ min: 1, max: 6000 })), { maxLength: 8 })
  .map((requests) =>
    Buffer.concat(
      requests.map(([{ method, request }, frameBytes], index) => {
        const { input, name } = Plugin.method[method as keyof typeof Plugin.method];
        const known = Object.fromEntries(
          Object.entries(request).filter(([field]) =>
            input.fields.some(({ localName }) => localName === field),
          ),
        );
        const payload = toBinary(input, create(input, known));
        const asked = create(RequestSchema, { service: Plugin.typeName, method: name, payload });
        return framed(1, message(2 * index + 1, 1, toBinary(RequestSchema, asked)), frameBytes);
      }),
    ),
  );
const lengths = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 });

test("a conversation is the same wherever it is cut", () => {
  fc.assert(
    fc.property(conversation, lengths, (bytes, lengths) => {
      const whole = outcomeOf([bytes]);
      expect(whole.isClosed).toBe(false);
      expect(outcomeOf(cut(bytes, lengths))).toEqual(whole);
    }),
  );
});

test("half of a conversation gets the first answers of the whole", () => {
  fc.assert(
    fc.property(conversation, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, share) => {
      const whole = outcomeOf([bytes]);
      const half = outcomeOf([bytes.subarray(0, Math.floor(bytes.length * share))]);
      expect(half.isClosed).toBe(false);
      expect(whole.sent.subarray(0, half.sent.length).equals(half.sent)).toBe(true);
    }),
  );
});

test("after any bytes, every sent frame is whole, and the connection ends cleanly", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 });
  fc.assert(
    fc.property(conversation, damage, fc.uint8Array(), lengths, (bytes, damage, more, lengths) => {
      const damaged = Buffer.concat([bytes, more]);
      for (const [at, value] of damage) damaged[at % Math.max(damaged.length, 1)] = value;
      const { sent, isClosed } = outcomeOf(cut(damaged, lengths));
      expect(outcomeOf([damaged])).toEqual({ sent, isClosed });
      let at = 0;
      while (at < sent.length) {
        expect(sent.readUInt32BE(at)).toBe(1);
        const length = sent.readUInt32BE(at + 4);
        expect(length).toBeLessThanOrEqual(4096);
        at += 8 + length;
      }
      expect(at).toBe(sent.length);
    }),
    { numRuns: 300 },
  );
});

test("any bytes are a request, or are answered with their fault", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Plugin.methods),
      fc.uint8Array({ maxLength: 300 }),
      ({ name }, payload) => {
        const asked = create(RequestSchema, { service: Plugin.typeName, method: name, payload });
        const { sent, isClosed } = outcomeOf([framed(1, message(1, 1, toBinary(RequestSchema, asked)))]);
        expect(isClosed).toBe(false);
        expect(sent.readUInt32BE(8 + 4)).toBe(1);
      },
    ),
    { numRuns: 1000 },
  );
});
