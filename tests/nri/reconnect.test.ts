import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { patience } from "../patience.ts";
import { FakeRuntime } from "./fake-runtime.ts";
import { RecordingPlugin } from "./recording-plugin.ts";

const folder = mkdtempSync(`${tmpdir()}/wasp-nri-`);
afterAll(() => rmSync(folder, { recursive: true }));
let sockets = 0;
const newPath = () => `${folder}/${++sockets}.sock`;

// Without random shortening.
const hasty = { retry: { firstMilliseconds: 1, maxMilliseconds: 16 }, random: () => 1 };
const waitsOf = (plugin: RecordingPlugin) =>
  plugin.events.flatMap((event) => ("retryMilliseconds" in event ? [event.retryMilliseconds] : []));

describe("a plugin that reconnects", () => {
  test("waits longer and longer for a missing socket, and connects once it exists", async () => {
    const path = newPath();
    await using plugin = new RecordingPlugin({ socket: path, timing: hasty });
    const { reason } = await plugin.event("unreachable", 6);
    expect(reason).toBe(`${path}: Failed to connect (ENOENT)`);
    using runtime = await FakeRuntime.listen(path);
    await (await runtime.connection()).begin();
    await plugin.event("synchronized");
    expect(waitsOf(plugin).slice(0, 6)).toEqual([1, 2, 4, 8, 16, 16]);
    expect(plugin.takeHeard().map((line) => line.split(" ")[0])).toEqual(["configure", "synchronize"]);
  });

  test("connects again soon after each loss", async () => {
    using runtime = await FakeRuntime.listen(newPath());
    await using plugin = new RecordingPlugin({ socket: runtime.path, timing: hasty });
    for (let times = 1; times <= 4; times++) {
      const side = await runtime.connection();
      expect(await side.registered).toMatchObject({ pluginName: "wasp" });
      await side.begin({ containers: [{ id: `c-${times}` }] });
      await side.call("createContainer", { pod: { id: "p" }, container: { id: "c" } });
      side.close();
      await plugin.event("disconnected", times);
      const heard = plugin.takeHeard();
      expect(heard.map((line) => line.split(" ")[0])).toEqual([
        "configure",
        "synchronize",
        "createContainer",
        "disconnected",
      ]);
      expect(heard[1]).toContain(`"c-${times}"`);
    }
    expect(waitsOf(plugin)).toEqual([1, 1, 1, 1]);
  });

  test("forgets the parts of a runtime that disconnected between them", async () => {
    using runtime = await FakeRuntime.listen(newPath());
    await using plugin = new RecordingPlugin({ socket: runtime.path, timing: hasty });
    const first = await runtime.connection();
    await first.registered;
    await first.call("configure", {});
    await first.call("synchronize", { containers: [{ id: "old" }], more: true });
    first.close();
    expect(await (await runtime.connection()).begin({ containers: [{ id: "new" }] })).toMatchObject({
      update: [{ containerId: "new" }],
    });
    expect(await plugin.event("synchronized")).toMatchObject({ containers: 1 });
  });

  test.each([
    [
      "refuses it",
      { code: 2, message: "plugin wasp is not welcome" },
      "RegisterPlugin: plugin wasp is not welcome (code 2)",
    ],
    ["does not answer it", "silent", "RegisterPlugin: no answer within 20 ms"],
  ] as const)("asks a runtime that %s again, later", async (_, registration, reason) => {
    using runtime = await FakeRuntime.listen(newPath(), { registration });
    await using plugin = new RecordingPlugin({
      socket: runtime.path,
      timing: { ...hasty, registrationMilliseconds: registration === "silent" ? 20 : patience(20) },
    });
    expect(await plugin.event("refused", 3)).toMatchObject({ reason });
    expect(waitsOf(plugin).slice(0, 3)).toEqual([1, 2, 4]);
    expect(plugin.takeHeard()).toEqual([]);
  });

  test("is slow with a runtime that registers it and disconnects", async () => {
    using runtime = await FakeRuntime.listen(newPath());
    await using plugin = new RecordingPlugin({ socket: runtime.path, timing: hasty });
    for (let times = 1; times <= 4; times++) {
      const side = await runtime.connection();
      await side.registered;
      await side.call("configure", {});
      side.close();
      await plugin.event("disconnected", times);
    }
    expect(waitsOf(plugin)).toEqual([1, 2, 4, 8]);
  });

  test("finds a runtime that was restarted under the same path", async () => {
    const path = newPath();
    const first = await FakeRuntime.listen(path);
    await using plugin = new RecordingPlugin({ socket: path, timing: hasty });
    await (await first.connection()).begin();
    first[Symbol.dispose]();
    await plugin.event("disconnected");
    // As a killed runtime leaves it.
    writeFileSync(path, "");
    await plugin.event("unreachable");
    using second = await FakeRuntime.listen(path);
    await (await second.connection()).begin();
    await plugin.event("synchronized", 2);
  });
});

describe("a plugin that ends with its connection", () => {
  test("ends if there is none", async () => {
    const path = newPath();
    await using plugin = new RecordingPlugin({ socket: path, isExitedOnDisconnect: true });
    expect(await plugin.ended).toMatchObject({ kind: "unreachable" });
    expect(plugin.events).toEqual([
      { kind: "unreachable", reason: expect.stringContaining(path), retryMilliseconds: undefined },
    ]);
    await expect(plugin.updateContainers([])).rejects.toThrow("there is no connection");
  });

  test("ends when it is refused", async () => {
    using runtime = await FakeRuntime.listen(newPath(), { registration: { code: 3, message: "no" } });
    await using plugin = new RecordingPlugin({ socket: runtime.path, isExitedOnDisconnect: true });
    expect(await plugin.ended).toEqual({ kind: "refused", reason: "RegisterPlugin: no (code 3)" });
    expect(runtime.connections).toBe(1);
  });

  test("ends when the runtime goes", async () => {
    using runtime = await FakeRuntime.listen(newPath());
    await using plugin = new RecordingPlugin({ socket: runtime.path, isExitedOnDisconnect: true });
    const side = await runtime.connection();
    await side.begin();
    side.close();
    expect(await plugin.ended).toMatchObject({ kind: "disconnected" });
    expect(runtime.connections).toBe(1);
  });
});

describe("a plugin that is stopped", () => {
  test("closes its connection, and calls its handlers", async () => {
    using runtime = await FakeRuntime.listen(newPath());
    const plugin = new RecordingPlugin({ socket: runtime.path });
    const side = await runtime.connection();
    await side.begin();
    plugin.takeHeard();
    const asked = plugin.updateContainers([]);
    await Promise.all([
      plugin.stop(),
      plugin.stop(),
      expect(asked).rejects.toThrow("the plugin was stopped"),
    ]);
    await side.closed;
    expect(await plugin.ended).toEqual({ kind: "stopped" });
    expect(plugin.takeHeard()).toEqual(["disconnected []"]);
    expect(plugin.events.at(-1)).toMatchObject({ kind: "synchronized" });
    await plugin.stop();
    expect(runtime.connections).toBe(1);
  });

  test("connects no more, whether while connecting or long before the next attempt", async () => {
    using runtime = await FakeRuntime.listen(newPath());
    const connecting = new RecordingPlugin({ socket: runtime.path });
    await connecting.stop();
    expect(await connecting.ended).toEqual({ kind: "stopped" });
    const hour = 3_600_000;
    const waiting = new RecordingPlugin({
      socket: newPath(),
      timing: { retry: { firstMilliseconds: hour, maxMilliseconds: hour }, random: () => 1 },
    });
    expect(await waiting.event("unreachable")).toMatchObject({ retryMilliseconds: hour });
    await waiting.stop();
    expect(await waiting.ended).toEqual({ kind: "stopped" });
  });
});
