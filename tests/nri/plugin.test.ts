import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { create, toBinary } from "@bufbuild/protobuf";
import { Plugin, Runtime } from "../../src/nri/api_pb.ts";
import { NriPlugin } from "../../src/nri/plugin.ts";
import { ResponseSchema } from "../../src/nri/ttrpc_pb.ts";
import { patience } from "../patience.ts";
import { type Behavior, FakeRuntime, type RuntimeSide } from "./fake-runtime.ts";
import { RecordingPlugin } from "./recording-plugin.ts";
import { byteByByte, merged } from "./transmit.ts";

const { output } = Runtime.method.updateContainers;
const folder = mkdtempSync(`${tmpdir()}/wasp-nri-`);
afterAll(() => rmSync(folder, { recursive: true }));
let sockets = 0;
const listen = (behavior?: Behavior) => FakeRuntime.listen(`${folder}/${++sockets}.sock`, behavior);

const limited = (id: string, bytes: number) => ({
  id,
  podSandboxId: "p",
  linux: { resources: { memory: { limit: { value: BigInt(bytes) } } } },
});

describe.each([
  ["as real runtimes write them", {}],
  ["in frames of one byte", { frameBytes: 1 }],
  ["in frames as long as they may be", { frameBytes: 4 * 2 ** 20 + 10 }],
  ["byte by byte", { transmit: byteByByte() }],
  ["many at once", { transmit: merged() }],
] satisfies [string, Behavior][])("frames that come %s", (_, behavior) => {
  test("carry all requests of a plugin's life", async () => {
    using runtime = await listen(behavior);
    await using plugin = new RecordingPlugin({ socket: runtime.path, name: "wasp.a_b+c-9", index: "07" });
    const side = await runtime.connection();
    expect(await side.registered).toMatchObject({ pluginName: "wasp.a_b+c-9", pluginIdx: "07" });
    const names = Array.from({ length: 40 }, (_, number) => `c-${number}`);
    const pod = { id: "p" };
    const long = { id: "long", annotations: { long: "x".repeat(9000) } };
    await side.call("configure", { runtimeName: "fake", runtimeVersion: "2", requestTimeout: 60_000n });
    expect(await side.call("synchronize", { pods: [pod, long], more: true })).toMatchObject({
      update: [],
      more: true,
    });
    const rest = { containers: names.map((id) => limited(id, 4096)) };
    const { update, more } = await side.call("synchronize", rest);
    expect(more).toBe(false);
    expect(update.map(({ containerId }) => containerId)).toEqual(names);
    const created = names.map(async (id, number) => {
      const { adjust } = await side.call("createContainer", { pod, container: limited(id, number) });
      return adjust?.linux?.resources?.unified ?? {};
    });
    const asked = plugin.updateContainers([{ containerId: "c-1", unified: { "memory.high": "1" } }]);
    expect(await Promise.all(created)).toEqual(
      names.map((_, number) => (number === 0 ? {} : { "memory.high": String(number) })),
    );
    expect(await asked).toEqual([]);
    await side.call("stateChange", { event: 7, pod, container: { id: "c-1" } });
    await side.call("postStartContainer", { pod, container: { id: "c-2" } });
    await side.call("stopContainer", { pod, container: { id: "c-1" } });
    await side.call("stateChange", { event: 11, pod, container: { id: "c-1" } });
    await side.call("removeContainer", { pod, container: { id: "c-2" } });
    await side.call("shutdown", {});
    side.close();
    await plugin.event("disconnected");
    const heard = plugin.takeHeard();
    // In the order of the requests, and the end once.
    expect(heard.map((line) => line.split(" ")[0])).toEqual([
      "configure",
      "synchronize",
      ...names.map(() => "createContainer"),
      "startedContainer",
      "startedContainer",
      "stopContainer",
      "removeContainer",
      "removeContainer",
      "disconnected",
    ]);
    expect(plugin.events.slice(0, 4)).toEqual([
      { kind: "connected" },
      { kind: "registered", runtime: { name: "fake", version: "2", requestTimeoutMillis: 60_000 } },
      { kind: "synchronized", pods: 2, containers: 40, updates: 40 },
      { kind: "shutdown" },
    ]);
  });
});

describe("a request that fails", () => {
  const throwing = {
    createContainer() {
      throw new Error("pod p: class gold: must be one of silver, bronze");
    },
    stopContainer() {
      throw "no Error at all";
    },
    updateContainer: () => ({ "memory.high": "9".repeat(4 * 2 ** 20) }),
  };
  const subject = { pod: { id: "p" }, container: { id: "c" } };

  async function begun(run: (side: RuntimeSide, plugin: RecordingPlugin) => Promise<void>): Promise<void> {
    using runtime = await listen();
    await using plugin = new RecordingPlugin({ socket: runtime.path }, throwing);
    const side = await runtime.connection();
    await side.begin();
    await run(side, plugin);
    // The connection goes on.
    await side.call("removeContainer", subject);
    expect(runtime.connections).toBe(1);
  }

  test.each([
    ["createContainer", "2: pod p: class gold: must be one of silver, bronze"],
    ["stopContainer", "2: no Error at all"],
    ["updateContainer", "8: UpdateContainer: the answer has 4194345 bytes: must be 4194299 at most"],
  ] as const)("%s fails, with the plugin's reason", async (method, reason) => {
    await begun(async (side, plugin) => {
      await expect(side.call(method, subject)).rejects.toThrow(new Error(reason));
      const { reason: reported } = await plugin.event("request-failed");
      expect(reason).toEndWith(reported);
    });
  });

  test("names no container", async () => {
    await begun(async (side) => {
      for (const method of ["createContainer", "updateContainer", "removeContainer"] as const)
        await expect(side.call(method, {})).rejects.toThrow("3: the request names no pod, or no container");
    });
  });

  test.each([
    ["a method of newer runtimes", Plugin.typeName, "RunPodSandbox", "", 12],
    ["a method in small letters", Plugin.typeName, "createContainer", "", 12],
    ["a name that every object has", Plugin.typeName, "constructor", "", 12],
    ["the runtime's own service", Runtime.typeName, "RegisterPlugin", "", 12],
    ["a long name", "x".repeat(10_000), "y", "", 12],
    ["a field without its end", Plugin.typeName, "CreateContainer", "0aff", 3],
    ["a length that nothing has", Plugin.typeName, "CreateContainer", "0affffffff0f", 3],
    ["groups in groups", Plugin.typeName, "CreateContainer", "a306".repeat(100_000), 3],
    ["no UTF-8", Plugin.typeName, "StopContainer", "0a0012050a03fffefd", 3],
  ])("asks for %s", async (_, service, method, payload, code) => {
    await begun(async (side) => {
      const { status } = await side.ask(service, method, Buffer.from(payload, "hex"));
      expect(status?.code).toBe(code);
      expect(status?.message.length).toBeLessThan(200);
    });
  });

  test.each(["ff", "0a", "0a05", "22ffffffffffffffffffff01", "08"])("%s is not a request", async (hex) => {
    await begun(async (side) => {
      const { status } = await side.askRaw(Buffer.from(hex, "hex"));
      expect(status?.code).toBe(3);
    });
  });

  test.each([
    ["bytes", 17, { pods: [{ id: "p", labels: { long: "x".repeat(4_000_000) } }] }],
    ["containers", 3, { containers: Array.from({ length: 9000 }, () => ({ id: "c" })) }],
  ])("has parts of more %s than any node", async (_, number, part) => {
    await begun(async (side) => {
      const parts = Array.from({ length: number }, () => side.call("synchronize", { ...part, more: true }));
      const most = "8: Synchronize: 20000 pods and containers, of 67108864 bytes, are the limit";
      const remedy =
        "remove pods that have ended (crictl rmp), and shorten long annotations and environments";
      await expect(parts.pop()).rejects.toThrow(new Error(`${most}: ${remedy}`));
      await Promise.all(parts);
      // The earlier parts are dropped.
      expect(await side.call("synchronize", {})).toMatchObject({ update: [] });
    });
  });

  test("has a part of more containers than any node", async () => {
    await begun(async (side) => {
      const empty = Buffer.from("1200".repeat(2_000_000), "hex");
      const { status } = await side.ask(Plugin.typeName, "Synchronize", empty);
      expect(status).toMatchObject({
        code: 3,
        message: "SynchronizeRequest cannot be decoded: more than 20000 pods, containers or other fields",
      });
    });
  });
});

test("a configuration that the plugin refuses is answered with the reason", async () => {
  using runtime = await listen();
  const configure = (config: string) => {
    throw new Error(`classes[0].name: ${config}`);
  };
  await using plugin = new RecordingPlugin({ socket: runtime.path }, { configure });
  const side = await runtime.connection();
  await expect(side.begin({}, "must not be empty")).rejects.toThrow("2: classes[0].name: must not be empty");
  expect(await plugin.event("request-failed")).toMatchObject({ method: "Configure" });
  side.close();
  await plugin.event("disconnected");
  // Nothing was begun that could end.
  expect(plugin.takeHeard()).toEqual([]);
});

describe("the plugin's own updates", () => {
  const updates = ["c-1", "c-2"].map((containerId) => ({ containerId, unified: { "memory.high": "4096" } }));

  test.each([
    ["nothing went wrong", {}, []],
    ["all is well in so many words", { code: 0, message: "" }, []],
    ["some failed", { failed: [{ containerId: "c-2" }] }, ["c-2"]],
    [
      "the runtime fails them all",
      { code: 2, message: "NRI update failed" },
      "UpdateContainers: NRI update failed (code 2)",
    ],
    ["it gives no reason", { code: 14, message: "" }, "UpdateContainers: refused (code 14)"],
    ["it does not answer", "silent", "UpdateContainers: no answer within 60 ms"],
  ] as const)("%s", async (_, answer, expected) => {
    using runtime = await listen({ updates: () => answer as { failed: { containerId: string }[] } });
    await using plugin = new RecordingPlugin({ socket: runtime.path });
    const side = await runtime.connection();
    await side.registered;
    await side.call("configure", { requestTimeout: answer === "silent" ? 60n : BigInt(patience(60)) });
    await side.call("synchronize", {});
    if (typeof expected === "string")
      await expect(plugin.updateContainers(updates)).rejects.toThrow(new Error(expected));
    else expect(await plugin.updateContainers(updates)).toEqual([...expected]);
  });

  test("are answered each on its own, in any order", async () => {
    using runtime = await listen({ updates: () => "silent" });
    await using plugin = new RecordingPlugin({ socket: runtime.path });
    const side = await runtime.connection();
    await side.begin();
    const asked = updates.map((update) => plugin.updateContainers([update]));
    // Once a later request is answered, both have arrived.
    await side.call("removeContainer", { pod: {}, container: {} });
    const calls = side.frames
      .filter(({ stream }) => stream === 2)
      .map(({ payload }) => payload.readUInt32BE(4));
    // The first was the registration.
    expect(calls).toEqual([1, 3, 5]);
    const failed = (containerId: string) => ({
      payload: toBinary(output, create(output, { failed: [{ containerId }] })),
    });
    for (const [call, id] of [
      [5, "second"],
      [1, "nobody's"],
      [3, "first"],
    ] as const)
      side.sendMessage(2, call, 2, toBinary(ResponseSchema, create(ResponseSchema, failed(id))));
    expect(await Promise.all(asked)).toEqual([["first"], ["second"]]);
  });

  test("may get an answer that cannot be decoded", async () => {
    using runtime = await listen({ updates: () => "silent" });
    await using plugin = new RecordingPlugin({ socket: runtime.path });
    const side = await runtime.connection();
    await side.begin();
    const asked = updates.map((update) => plugin.updateContainers([update]));
    side.sendMessage(2, 3, 2, Buffer.from("ff", "hex"));
    side.sendMessage(
      2,
      5,
      2,
      toBinary(ResponseSchema, create(ResponseSchema, { payload: Buffer.from("0aff", "hex") })),
    );
    for (const { reason } of (await Promise.allSettled(asked)) as PromiseRejectedResult[])
      expect(String(reason)).toStartWith("Error: UpdateContainers: the answer cannot be decoded: ");
  });

  test("need a runtime that knows the plugin", async () => {
    using runtime = await listen();
    await using plugin = new RecordingPlugin({ socket: runtime.path });
    await expect(plugin.updateContainers(updates)).rejects.toThrow("there is no connection to the runtime");
    const side = await runtime.connection();
    await side.registered;
    await expect(plugin.updateContainers(updates)).rejects.toThrow("has not configured the plugin yet");
    // A runtime that started the plugin itself may never report its containers.
    await side.call("configure", {});
    expect(await plugin.updateContainers(updates)).toEqual([]);
    await side.call("shutdown", {});
    await expect(plugin.updateContainers(updates)).rejects.toThrow("has not configured the plugin yet");
  });

  test("fail when the connection ends, or they are too long", async () => {
    using runtime = await listen({ updates: () => "silent" });
    await using plugin = new RecordingPlugin({ socket: runtime.path });
    const side = await runtime.connection();
    await side.begin();
    const long = [{ containerId: "c", unified: { "memory.high": "9".repeat(5_000_000) } }];
    await expect(plugin.updateContainers(long)).rejects.toThrow(
      /the request has 5000\d+ bytes: must be 4194304 at most/,
    );
    const asked = plugin.updateContainers(updates);
    side.close();
    await expect(asked).rejects.toThrow("UpdateContainers: the runtime closed the connection");
  });
});

test.each([
  [{ name: "", index: "10" }, 'plugin name "": must be letters, digits, and any of . _ + -'],
  [{ name: "a b", index: "10" }, 'plugin name "a b": must be'],
  [{ name: "wasp\n", index: "10" }, 'plugin name "wasp\\n": must be'],
  [{ name: "wasp", index: "1" }, 'plugin index "1": must be two digits, 00 to 99'],
  [{ name: "wasp", index: "100" }, 'plugin index "100": must be'],
  [{ name: "wasp", index: "١٢" }, "must be two digits"],
])("%p is refused", (identity, reason) => {
  const start = () =>
    new NriPlugin({
      ...identity,
      socket: "/nowhere",
      isExitedOnDisconnect: true,
      report() {},
      handlers: {} as ConstructorParameters<typeof NriPlugin>[0]["handlers"],
    });
  expect(start).toThrow(reason);
});
