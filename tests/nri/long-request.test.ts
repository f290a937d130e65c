/** Synchronize in one message that is longer than ttrpc's limit, as containerd 1.7.0 to 1.7.25 sends it. */
import { describe, expect, test } from "bun:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type ContainerSchema,
  Plugin,
  type PodSandboxSchema,
  SynchronizeRequestSchema,
  SynchronizeResponseSchema,
} from "../../src/nri/api_pb.ts";
import type { NriContainer, NriPod, PluginHandlers } from "../../src/nri/handlers.ts";
import type { SessionEvent } from "../../src/nri/methods.ts";
import { Session } from "../../src/nri/session.ts";
import { RequestSchema, ResponseSchema } from "../../src/nri/ttrpc_pb.ts";
import { Random } from "../sim/random.ts";
import { cut } from "./bytes.ts";
import { framed, message } from "./fake-runtime.ts";

const MIB = 2 ** 20;
const REQUEST = 1;

/** Session that keeps what its handlers get, and its answers. */
class Listening {
  readonly listed: { pods: readonly NriPod[]; containers: readonly NriContainer[] }[] = [];
  readonly events: SessionEvent[] = [];
  readonly #sent: Uint8Array[] = [];
  readonly session: Session;
  isClosed = false;

  constructor() {
    const handlers: PluginHandlers = {
      configure() {},
      synchronize: (pods, containers) => {
        this.listed.push({ pods, containers });
        return containers.map(({ id }) => ({ containerId: id, unified: { "memory.high": "max" } }));
      },
      createContainer: () => ({}),
      updateContainer: () => ({}),
      stopContainer() {},
      startedContainer() {},
      removeContainer() {},
      disconnected() {},
    };
    const outlet = {
      isClosed: false,
      write: (bytes: Uint8Array) => void this.#sent.push(bytes),
      close: () => {
        this.isClosed = true;
        return true;
      },
    };
    const timeouts = { registrationMilliseconds: 1, requestMilliseconds: 1 };
    this.session = new Session(outlet, handlers, timeouts, (event) => this.events.push(event));
  }

  /** Payloads of the answers, without frames and headers. */
  get answers() {
    const stream: Buffer[] = [];
    const sent = Buffer.concat(this.#sent);
    for (let at = 0; at < sent.length; ) {
      const length = sent.readUInt32BE(at + 4);
      stream.push(sent.subarray(at + 8, at + 8 + length));
      at += 8 + length;
    }
    const bytes = Buffer.concat(stream);
    const answers = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32BE(at);
      answers.push(fromBinary(ResponseSchema, bytes.subarray(at + 10, at + 10 + length)));
      at += 10 + length;
    }
    return answers;
  }
}

function listOf(count: number, bytesEach: number) {
  const pods = Array.from(
    { length: count },
    (_, number): MessageInitShape<typeof PodSandboxSchema> => ({
      id: `pod-${number}`,
      uid: `uid-${number}`,
      name: `web-${number}`,
      namespace: "shop",
      annotations: { "class.memory-qos.nri.io": "bronze", "example.org/note": "x".repeat(bytesEach / 2) },
    }),
  );
  const containers = pods.map(
    ({ id = "" }, number): MessageInitShape<typeof ContainerSchema> => ({
      id: `container-${number}`,
      podSandboxId: id,
      name: "app",
      state: 3,
      linux: { resources: { memory: { limit: { value: BigInt(number) } } } },
    }),
  );
  return create(SynchronizeRequestSchema, { pods, containers });
}

function requestOf(payload: Uint8Array, method: string = Plugin.method.synchronize.name): Uint8Array {
  return toBinary(
    RequestSchema,
    create(RequestSchema, { service: Plugin.typeName, method, payload, timeoutNano: 2n }),
  );
}

const onWire = (bytes: Uint8Array, frameBytes = bytes.length + 10) =>
  framed(1, message(1, REQUEST, bytes), frameBytes);

describe("a long list", () => {
  const list = listOf(120, 200_000);
  const payload = toBinary(SynchronizeRequestSchema, list);

  test.each<[string, number, readonly number[]]>([
    ["in one frame", Number.POSITIVE_INFINITY, [Number.POSITIVE_INFINITY]],
    ["in one frame, as a socket has it", Number.POSITIVE_INFINITY, [65_536]],
    ["in frames of 4096 bytes", 4096, [65_536, 1, 7]],
  ])("%s is taken whole, and without the annotations that nobody reads", (_, frameBytes, lengths) => {
    expect(payload.length).toBeGreaterThan(11 * MIB);
    const listening = new Listening();
    const wire = onWire(requestOf(payload), Math.min(frameBytes, payload.length * 2));
    for (const piece of cut(
      wire,
      lengths.map((length) => Math.min(length, wire.length)),
    ))
      listening.session.received(piece);
    expect(listening.isClosed).toBe(false);
    const [answer, ...more] = listening.answers;
    expect({ status: answer?.status, more }).toEqual({ status: undefined, more: [] });
    const { update } = fromBinary(SynchronizeResponseSchema, answer?.payload ?? new Uint8Array());
    expect(update.map(({ containerId }) => containerId)).toEqual(list.containers.map(({ id }) => id));
    const [{ pods, containers } = { pods: [], containers: [] }] = listening.listed;
    expect(pods.map(({ uid, annotations }) => [uid, annotations])).toEqual(
      list.pods.map(({ uid }) => [uid, { "class.memory-qos.nri.io": "bronze" }]),
    );
    expect(containers.map(({ memoryLimitBytes }) => memoryLimitBytes ?? 0)).toEqual(
      containers.map((_, number) => number),
    );
    // The connection goes on.
    listening.session.received(onWire(requestOf(new Uint8Array(), "Shutdown")));
    expect(listening.events.map(({ kind }) => kind)).toEqual(["synchronized", "shutdown"]);
  });

  test("is held in no more memory than it takes itself", () => {
    const wire = onWire(requestOf(toBinary(SynchronizeRequestSchema, listOf(280, 400_000))));
    expect(wire.length).toBeGreaterThan(52 * MIB);
    // Cut first: an array's bytes count from its first view on.
    const pieces = cut(wire, [MIB]);
    const listening = new Listening();
    const held = () => {
      Bun.gc(true);
      const { heapUsed, external, arrayBuffers } = process.memoryUsage();
      return heapUsed + external + arrayBuffers;
    };
    const before = held();
    let most = 0;
    for (const [number, piece] of pieces.entries()) {
      listening.session.received(piece);
      if (number % 10 === 0) most = Math.max(most, held() - before);
    }
    expect(listening.listed).toHaveLength(1);
    expect(most).toBeLessThan(16 * MIB);
  });
});

describe("a long request is refused, and the connection goes on", () => {
  const many = { number: 30, bytes: 200_000 };
  test.each<[string, () => Uint8Array, string]>([
    [
      "of another method",
      () =>
        requestOf(toBinary(SynchronizeRequestSchema, listOf(many.number * 2, many.bytes)), "CreateContainer"),
      "CreateContainer: the request must have 4194304 bytes at most; only Synchronize may have more",
    ],
    [
      "with a pod that no cluster has",
      () => {
        const pods = [{ id: "a", annotations: { x: "x".repeat(5 * MIB) } }];
        return requestOf(toBinary(SynchronizeRequestSchema, create(SynchronizeRequestSchema, { pods })));
      },
      "must be 4194304 at most: shorten its annotations or its environment",
    ],
    [
      "of more containers than any node",
      () => requestOf(toBinary(SynchronizeRequestSchema, listOf(10_001, 600))),
      "20000 pods and containers, of 67108864 bytes, are the limit: remove pods that have ended (crictl rmp)",
    ],
    [
      "with rubbish in it",
      () => requestOf(new Uint8Array(5 * MIB).fill(255)),
      "a number of more than 10 bytes",
    ],
    [
      "that ends within a pod",
      () =>
        requestOf(
          Buffer.concat([Buffer.from([10, 128, 128, 128, 2]), new Uint8Array(4 * MIB)]).subarray(0, 4 * MIB),
        ),
      "the request ends within a field",
    ],
  ])("%s", (_, requested, reason) => {
    const listening = new Listening();
    const request = requested();
    expect(request.length).toBeGreaterThan(4 * MIB);
    for (const piece of cut(onWire(request), [100_000])) listening.session.received(piece);
    const [answer] = listening.answers;
    expect(answer?.status?.message).toContain(reason);
    expect(listening).toMatchObject({ listed: [], isClosed: false });
    expect(listening.events).toMatchObject([{ kind: "request-failed" }]);
    const list = toBinary(SynchronizeRequestSchema, listOf(2, 10));
    listening.session.received(onWire(requestOf(list)));
    expect(listening.listed).toMatchObject([{ pods: [{ id: "pod-0" }, { id: "pod-1" }] }]);
  });

  test("but one that is too long even so ends the connection, with the remedy", async () => {
    const listening = new Listening();
    const header = Buffer.alloc(10);
    header.writeUInt32BE(65 * MIB, 0);
    listening.session.received(framed(1, header));
    expect(await listening.session.ended).toEqual({
      kind: "protocol-error",
      reason: expect.stringMatching(
        /a message of 68157440 bytes: must be 67174400 at most; .* remove those that have ended/,
      ),
    });
  });
});

test("any long bytes are answered once, whatever they are", () => {
  const random = new Random(7);
  const valid = requestOf(toBinary(SynchronizeRequestSchema, listOf(40, 220_000)));
  for (let round = 0; round < 20; round += 1) {
    const bytes = Buffer.from(valid);
    for (let count = 0; count < 5; count += 1)
      bytes[random.whole(0, bytes.length - 1)] = random.whole(0, 255);
    bytes[random.whole(0, 200)] = random.whole(0, 255);
    const listening = new Listening();
    for (const piece of cut(onWire(bytes), [random.whole(1, 400_000)])) listening.session.received(piece);
    expect(listening.answers).toHaveLength(1);
    expect(listening.isClosed).toBe(false);
  }
});
