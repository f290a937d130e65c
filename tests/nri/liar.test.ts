import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { setImmediate as turn } from "node:timers/promises";
import { Plugin } from "../../src/nri/api_pb.ts";
import { FakeRuntime, framed, message, type RuntimeSide } from "./fake-runtime.ts";
import { RecordingPlugin } from "./recording-plugin.ts";

const MIB = 2 ** 20;
const folder = mkdtempSync(`${tmpdir()}/wasp-nri-`);
afterAll(() => rmSync(folder, { recursive: true }));
let sockets = 0;

async function begun(run: (side: RuntimeSide, plugin: RecordingPlugin) => Promise<void>): Promise<void> {
  using runtime = await FakeRuntime.listen(`${folder}/${++sockets}.sock`);
  await using plugin = new RecordingPlugin({ socket: runtime.path, isExitedOnDisconnect: true });
  const side = await runtime.connection();
  await side.begin();
  plugin.takeHeard();
  await run(side, plugin);
}

const subject = { pod: { id: "p" }, container: { id: "c" } };
const numbers = (...words: readonly number[]) => {
  const bytes = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => void bytes.writeUInt32BE(word, 4 * index));
  return bytes;
};
const empty = Buffer.alloc(0);
const rubbish = Buffer.alloc(3000, 0xff);

describe("a runtime that keeps its connection", () => {
  test.each([
    [
      "frames for connections that do not exist",
      [0, 3, 7, 2 ** 32 - 1].map((stream) => framed(stream, rubbish)),
    ],
    ["frames without anything in them", [numbers(1, 0), numbers(2, 0), numbers(9, 0)]],
    ["answers to nothing", [0, 1, 3, 1001].map((call) => framed(2, message(call, 2, empty)))],
    ["invalid answers to nothing", [framed(2, message(5, 2, rubbish))]],
    ["answers on the stream of its requests", [framed(1, message(1, 2, rubbish))]],
    ["requests on the stream of its answers", [framed(2, message(1, 1, rubbish))]],
    ["messages of other types", [0, 3, 4, 255].map((type) => framed(1, message(99, type, rubbish)))],
  ])("sends %s", async (_, sent) => {
    await begun(async (side, plugin) => {
      const seen = side.frames.length;
      for (const bytes of sent) side.transmit(bytes);
      await side.call("removeContainer", subject);
      // The answer to its request, and nothing else.
      expect(side.frames.length).toBe(seen + 1);
      expect(plugin.takeHeard()).toHaveLength(1);
    });
  });

  test("numbers its requests as it likes, and gets the numbers back", async () => {
    await begun(async (side) => {
      const seen = side.frames.length;
      const calls = [2, 0, 7, 7, 2 ** 32 - 1];
      for (const call of calls) side.transmit(framed(1, message(call, 1, empty)));
      await side.call("removeContainer", subject);
      expect(side.frames.slice(seen, -1).map(({ payload }) => payload.readUInt32BE(4))).toEqual(calls);
    });
  });
});

describe("a runtime that loses its connection", () => {
  test.each([
    [
      "a frame of 4 GiB",
      numbers(1, 2 ** 32 - 1),
      "the runtime sent a frame of 4294967295 bytes for connection 1",
    ],
    [
      "a long frame for a connection that does not exist",
      numbers(5, 2 ** 31),
      "the runtime sent a frame of 2147483648 bytes",
    ],
    [
      "a request of 4 GiB",
      framed(1, numbers(2 ** 32 - 1, 1, 0)),
      "the runtime sent a message of 4294967295 bytes",
    ],
    [
      "an answer of more than 4 MiB",
      framed(2, numbers(4 * MIB + 1, 1, 0)),
      "the runtime sent a message of 4194305 bytes",
    ],
    ["rubbish", rubbish, "the runtime sent a frame of 4294967295 bytes"],
  ])("sends %s", async (_, sent, reason) => {
    await begun(async (side, plugin) => {
      side.transmit(sent);
      await side.closed;
      const end = await plugin.ended;
      expect(end).toMatchObject({ kind: "protocol-error" });
      expect(JSON.stringify(end)).toContain(reason);
      expect(plugin.takeHeard()).toEqual(["disconnected []"]);
    });
  });
});

describe("a runtime that disconnects", () => {
  const request = framed(1, message(1, 1, rubbish));

  test.each([0, 1, 7, 8, 9, 17, 18, 19, 3000])("after %d bytes of a request", async (length) => {
    await begun(async (side, plugin) => {
      side.transmit(request.subarray(0, length));
      side.end();
      expect(await plugin.ended).toEqual({
        kind: "disconnected",
        reason: "the runtime closed the connection",
      });
      expect(plugin.takeHeard()).toEqual(["disconnected []"]);
    });
  });
});

describe("a runtime that wastes memory", () => {
  // Memory must not be allocated for announced bytes.
  test("announces long messages and sends little", async () => {
    using runtime = await FakeRuntime.listen(`${folder}/${++sockets}.sock`);
    const plugins = Array.from({ length: 50 }, () => new RecordingPlugin({ socket: runtime.path }));
    const sides: RuntimeSide[] = [];
    for (const _ of plugins) {
      const side = await runtime.connection();
      await side.begin();
      sides.push(side);
    }
    const before = heldBytes();
    for (const side of sides) {
      side.transmit(numbers(1, 4 * MIB + 10));
      side.transmit(numbers(4 * MIB, 1, 0x01000000));
      side.transmit(numbers(2, 4 * MIB + 10));
      side.transmit(numbers(4 * MIB, 1, 0x02000000));
    }
    while (sides.some((side) => side.unreadBytes > 0)) await turn();
    for (let turns = 0; turns < 20; turns++) await turn();
    // 400 MiB were announced.
    expect(heldBytes() - before).toBeLessThan(40 * MIB);
    for (const plugin of plugins) await plugin.stop();
  });

  test("sends requests without reading answers: it is not read from either, until it reads", async () => {
    await begun(async (side, plugin) => {
      side.pause();
      const service = "x".repeat(200);
      const asked = Array.from({ length: 40_000 }, () => side.ask(service, "y", empty));
      let [served, turns] = [0, 0];
      // Until no byte moves any more.
      while (turns < 100) {
        turns = plugin.events.length === served ? turns + 1 : 0;
        served = plugin.events.length;
        await turn();
      }
      // A few megabytes of answers, and one read of the socket.
      expect(served).toBeLessThan(20_000);
      side.resume();
      const answers = await Promise.all(asked);
      expect(answers.every(({ status }) => status?.code === 12)).toBe(true);
      expect(plugin.events.length).toBeGreaterThanOrEqual(40_000);
      await side.call("removeContainer", subject);
    });
  });

  test("never reads, and disconnects", async () => {
    await begun(async (side, plugin) => {
      side.pause();
      for (let asked = 0; asked < 20_000; asked++)
        side.ask(Plugin.typeName, "y".repeat(300), empty).catch(() => {});
      for (let turns = 0; turns < 50; turns++) await turn();
      side.close();
      expect(await plugin.ended).toMatchObject({ kind: "disconnected" });
    });
  });
});

function heldBytes(): number {
  Bun.gc(true);
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
