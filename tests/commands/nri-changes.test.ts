import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { ContainerState } from "../../src/nri/api_pb.ts";
import { allOf, BRONZE, bronze, created, NriNode, named, resized, subjectOf } from "../node/nri-node.ts";
import type { LogEntry } from "../node/running-wasp.ts";

const GI = 2 ** 30;

let nri: NriNode;

beforeEach(() => {
  nri = new NriNode();
});

afterEach(() => nri[Symbol.asyncDispose]());

describe("a container that runs", () => {
  test("keeps its class through a resize", async () => {
    const { side, plugin } = await nri.serve();
    const subject = subjectOf(1, bronze);
    await created(side, subject);
    expect(await resized(side, subject, 2 * GI)).toEqual({
      "memory.high": `${GI}`,
      "memory.swap.max": "max",
    });
    expect(await plugin.event("container-limits-changed")).toMatchObject({
      ...named,
      set: `memory.high=${GI}`,
    });
    // A change of another value repeats the limits.
    expect(await resized(side, subject, undefined)).toEqual({
      "memory.high": `${GI}`,
      "memory.swap.max": "max",
    });
    expect(plugin.events("container-limits-changed")).toHaveLength(1);
  });

  test("without a class is resized as requested", async () => {
    const { side } = await nri.serve();
    await created(side, subjectOf(1));
    expect(await resized(side, subjectOf(1), 2 * GI)).toEqual({});
  });

  test("gets its class when the plugin connects, once", async () => {
    const runtime = await nri.listen();
    const plugin = nri.start();
    const side = await runtime.connection();
    const [fresh, plain, stopped, given] = [
      subjectOf(1, bronze),
      subjectOf(2),
      subjectOf(3, bronze),
      subjectOf(4, { ...bronze, unified: BRONZE }),
    ];
    const over = { ...stopped, container: { ...stopped.container, state: ContainerState.CONTAINER_STOPPED } };
    const { update } = await side.begin(allOf(fresh, plain, over, given));
    expect(update.map(({ containerId, linux }) => [containerId, linux?.resources?.unified])).toEqual([
      ["container-1", BRONZE],
    ]);
    expect(await plugin.event("container-limits-changed")).toMatchObject(named);
    expect(await plugin.event("nri-synchronized")).toMatchObject({ pods: 4, containers: 4, updates: 1 });
    expect(await resized(side, given, 2 * GI)).toEqual({
      "memory.high": `${GI}`,
      "memory.swap.max": "max",
    });
  });

  test("keeps all of its limits while its annotation is invalid", async () => {
    const annotations = { ...bronze.annotations, "memory.oom.group.memory-qos.nri.io": "1" };
    const runtime = await nri.listen();
    const plugin = nri.start();
    const side = await runtime.connection();
    const { update } = await side.begin(allOf(subjectOf(1, { annotations })));
    expect(update).toEqual([]);
    expect(await plugin.event("annotation-ignored")).toMatchObject({ ...named, reason: "file-not-listed" });
    expect(await resized(side, subjectOf(1, { annotations }), 2 * GI)).toEqual({});
  });
});

describe("a configuration that changes", () => {
  const config = (ratio: number, files = "memory.swap.max, memory.high") =>
    `classes: [{name: bronze, swaplimitratio: ${ratio}}]\nunifiedannotations: [${files}]\n`;

  /** Updates that the runtime got, in order. */
  const asked: [string, object][] = [];
  const behavior = {
    updates: ({ update }: { update: { containerId: string; linux?: object }[] }) => {
      for (const { containerId, linux } of update)
        asked.push([containerId, (linux as { resources: { unified: object } }).resources.unified]);
      // Fails the first time, as for a container that is about to start.
      const times = asked.filter(([id]) => id === "container-9").length;
      return { failed: times > 1 ? [] : update.filter(({ containerId }) => containerId === "container-9") };
    },
  } as never;

  beforeEach(() => {
    asked.length = 0;
  });

  test("is applied to new and to running containers", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    for (const number of [1, 2]) await created(side, subjectOf(number, bronze));
    await created(side, subjectOf(3));
    await created(side, subjectOf(4, bronze));
    await side.call("stopContainer", subjectOf(4));
    nri.setConfig(config(0.75));
    const isNew = ({ classes }: LogEntry) => classes === "bronze=0.75";
    expect(await plugin.event("memory-qos-configured", isNew)).toMatchObject({
      level: "info",
      unifiedAnnotations: "memory.swap.max memory.high",
    });
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-2");
    expect(asked).toEqual([
      ["container-1", { "memory.high": `${GI / 4}` }],
      ["container-2", { "memory.high": `${GI / 4}` }],
    ]);
    expect(await created(side, subjectOf(5, bronze))).toEqual({ ...BRONZE, "memory.high": `${GI / 4}` });
  });

  test("restores values that its class no longer sets", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    await created(side, subjectOf(1, bronze));
    await created(side, subjectOf(2, { ...bronze, unified: { "memory.high": "900000000" } }));
    nri.setConfig(config(0));
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-2");
    expect(asked).toEqual([
      ["container-1", { "memory.high": "max", "memory.swap.max": "0" }],
      ["container-2", { "memory.high": "900000000", "memory.swap.max": "0" }],
    ]);
  });

  test("keeps the limits of containers whose annotations are invalid now", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    const annotations = { ...bronze.annotations, "memory.swap.max.memory-qos.nri.io": "1Gi" };
    await created(side, subjectOf(1, { annotations }));
    await created(side, subjectOf(2, bronze));
    nri.setConfig(config(0.75, "memory.high"));
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-2");
    expect(asked).toEqual([["container-2", { "memory.high": `${GI / 4}` }]]);
    expect(await plugin.event("annotation-ignored")).toMatchObject({ ...named, reason: "file-not-listed" });
  });

  test("that is invalid leaves the previous one in force", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    nri.setConfig(config(1.5));
    expect(await plugin.event("config-refused")).toMatchObject({
      level: "error",
      error: `${nri.configFile}:1: swaplimitratio: 1.5 is not a number from 0 to 1`,
    });
    expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
    nri.setConfig(config(0.75));
    await plugin.event("container-limits-changed");
    expect(asked).toEqual([["container-1", { "memory.high": `${GI / 4}` }]]);
  });

  test("is logged for a container that the runtime failed to update, and applied to the others", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    await created(side, subjectOf(9, bronze));
    await created(side, subjectOf(1, bronze));
    nri.setConfig(config(0.75));
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-1");
    expect(await plugin.event("container-limits-failed")).toMatchObject({ level: "warning", pod: "web-9" });
    // Then it is tried again.
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-9");
    expect(asked.map(([id]) => id)).toEqual(["container-9", "container-1", "container-9"]);
  });

  test("comes from the runtime if there is no file", async () => {
    const runtime = await nri.listen();
    const plugin = nri.run([]);
    const side = await runtime.connection();
    await side.begin({}, config(0.25));
    expect(await created(side, subjectOf(1, bronze))).toEqual({
      ...BRONZE,
      "memory.high": `${(GI / 4) * 3}`,
    });
    side.close();
    const next = await runtime.connection();
    await next.registered;
    const wrong = { config: config(2), runtimeName: "fake", runtimeVersion: "1" };
    await expect(next.call("configure", wrong)).rejects.toThrow(
      "2: the runtime's configuration:1: swaplimitratio: 2 is not a number from 0 to 1",
    );
    expect(await plugin.event("nri-request-failed")).toMatchObject({ method: "Configure" });
  });

  test("comes from the file if the runtime has one, too", async () => {
    const runtime = await nri.listen();
    const plugin = nri.start();
    const side = await runtime.connection();
    await side.begin({}, config(0.25));
    expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
    expect(await plugin.event("config-doubtful")).toMatchObject({
      warning: `the runtime's configuration has no effect beside ${nri.configFile}`,
    });
  });
});
