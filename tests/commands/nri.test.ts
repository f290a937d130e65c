import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { markKubeletLimits, unmarkKubeletLimits } from "../../src/host/kubelet-limits-mark.ts";
import { BRONZE, bronze, created, NriNode, named, subjectOf } from "../node/nri-node.ts";

let nri: NriNode;

beforeEach(() => {
  nri = new NriNode();
});

afterEach(() => nri[Symbol.asyncDispose]());

describe("a new container", () => {
  test.each<[string, Parameters<typeof subjectOf>[1], object]>([
    ["its pod's class", bronze, BRONZE],
    [
      "its own class",
      { annotations: { "class.memory-qos.nri.io": "bronze", "class.memory-qos.nri.io/app": "silver" } },
      { "memory.high": "858993472", "memory.swap.max": "max" },
    ],
    [
      "no class",
      { annotations: { "class.memory-qos.nri.io": "bronze", "class.memory-qos.nri.io/app": "" } },
      {},
    ],
    [
      "a file",
      { annotations: { "memory.swap.max.memory-qos.nri.io": "64Mi" } },
      { "memory.swap.max": "67108864" },
    ],
    [
      "its own file, and its pod's class",
      { annotations: { "class.memory-qos.nri.io": "bronze", "memory.high.memory-qos.nri.io/app": "1M" } },
      { "memory.high": "1000000", "memory.swap.max": "max" },
    ],
    ["no annotation", {}, {}],
  ])("has %s", async (_, options, unified) => {
    const { side } = await nri.serve();
    expect(await created(side, subjectOf(1, options))).toEqual(unified as never);
  });

  test("is logged in one line", async () => {
    const { side, plugin } = await nri.serve();
    await created(side, subjectOf(1, bronze));
    expect(await plugin.event("container-limits-set")).toMatchObject({
      ...named,
      level: "info",
      set: `memory.high=${BRONZE["memory.high"]} memory.swap.max=max`,
      class: "bronze",
      swap: "memory-qos-class",
    });
  });

  test.each<[string, Parameters<typeof subjectOf>[1], string, string]>([
    [
      "of an unknown class",
      { annotations: { "class.memory-qos.nri.io": "gold" } },
      "unknown-class",
      'class.memory-qos.nri.io: "gold" is not a class of this node (classes: bronze, silver)',
    ],
    [
      "of a class, without a memory limit",
      { ...bronze, memoryLimitBytes: undefined },
      "class-without-memory-limit",
      'class.memory-qos.nri.io: "bronze" needs a memory limit: set resources.limits.memory, ' +
        'or exclude this container with class.memory-qos.nri.io/app: ""',
    ],
    [
      "that asks for a file that is not listed",
      { annotations: { "memory.oom.group.memory-qos.nri.io": "1" } },
      "file-not-listed",
      'memory.oom.group.memory-qos.nri.io: "1" may not be set by a pod on this node (allowed: memory.swap.max, memory.high)',
    ],
    [
      "that asks for a value that is none",
      { annotations: { "memory.high.memory-qos.nri.io": "half" } },
      "wrong-value",
      'memory.high.memory-qos.nri.io: "half" is not max, or a quantity of bytes such as 512Mi, of a page (4096) or more',
    ],
  ])("%s is refused", async (_, options, reason, error) => {
    const { side, plugin } = await nri.serve();
    const message = `2: container app of pod shop/web-1: ${error}`;
    await expect(created(side, subjectOf(1, options))).rejects.toThrow(message);
    expect(await plugin.event("container-refused")).toMatchObject({
      ...named,
      level: "warning",
      reason,
      error,
    });
    // The next request is served.
    expect(await created(side, subjectOf(2, bronze))).toEqual(BRONZE);
    expect(plugin.events("nri-request-failed")).toEqual([]);
  });

  test("starts without the invalid annotation, if that is to be ignored", async () => {
    const { side, plugin } = await nri.serve(["--on-error", "ignore"]);
    const annotations = { ...bronze.annotations, "memory.oom.group.memory-qos.nri.io": "1" };
    expect(await created(side, subjectOf(1, { annotations }))).toEqual(BRONZE);
    expect(await plugin.event("annotation-ignored")).toMatchObject({
      ...named,
      level: "warning",
      reason: "file-not-listed",
    });
    const gold = { annotations: { "class.memory-qos.nri.io": "gold" } };
    expect(await created(side, subjectOf(2, gold))).toEqual({});
    expect(plugin.events("container-refused")).toEqual([]);
  });
});

describe("swap limits", () => {
  // The kubelet's own for a request of 64 MiB (tests/fixtures/recordings/limitedswap.txt).
  const SHARE_BYTES = 17_519_640;

  test("are in the spec as the hook would write them, and follow the node's swap", async () => {
    const { side, plugin } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    const first = await created(side, subjectOf(1));
    const limitBytes = Number(first["memory.swap.max"]);
    expect(limitBytes).toBeGreaterThan(SHARE_BYTES * 0.9);
    expect(limitBytes).toBeLessThanOrEqual(SHARE_BYTES);
    expect(await plugin.event("container-limits-set")).toMatchObject({ ...named, swap: "limited-swap" });
    nri.node.setCapacity({ memoryKibibytes: 4_016_548, swapKibibytes: 0 });
    expect(await created(side, subjectOf(2))).toEqual({ "memory.swap.max": "0" });
    expect(await plugin.event("container-limits-set", ({ pod }) => pod === "web-2")).toMatchObject({
      swap: "no-swap-on-node",
    });
  });

  test("follow annotations, classes first and flags last", async () => {
    const { side } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    const swapMaxOf = async (annotations: Record<string, string>) =>
      (await created(side, subjectOf(1, { annotations })))["memory.swap.max"];
    const own = { "wasp.io/swap-limit": "1Mi" };
    expect(await swapMaxOf(own)).toBe("1048576");
    expect(await swapMaxOf({ ...own, ...bronze.annotations })).toBe("1048576");
    expect(await swapMaxOf(bronze.annotations)).toBe("max");
    expect(await swapMaxOf({ ...own, "memory.swap.max.memory-qos.nri.io": "2Mi" })).toBe("2097152");
  });

  test("is noted in its annotations, for the hook to name who gave it", async () => {
    const { side } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    const { adjust } = await side.call("createContainer", subjectOf(1));
    const limit = adjust?.linux?.resources?.unified["memory.swap.max"];
    expect(limit).toBeString();
    expect(adjust?.annotations).toEqual({ "wasp.io/nri-swap-max": limit ?? "" });
    const { adjust: without } = await side.call(
      "createContainer",
      subjectOf(2, { memoryRequestBytes: 4096 }),
    );
    expect(without?.annotations).toEqual({ "wasp.io/nri-swap-max": "0" });
  });

  test("is left to a kubelet that the agent has found to limit swap itself, but for annotations", async () => {
    const kubepods = "/sys/fs/cgroup/kubepods.slice";
    nri.node.write(`${kubepods}/memory.swap.max`, "max\n");
    const { side } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    expect(await created(side, subjectOf(1))).not.toEqual({});
    markKubeletLimits(nri.node.root + kubepods);
    expect(await created(side, subjectOf(2))).toEqual({});
    expect(await created(side, subjectOf(3, bronze))).toEqual(BRONZE);
    unmarkKubeletLimits(nri.node.root + kubepods);
    expect(await created(side, subjectOf(4))).not.toEqual({});
  });

  test("are not set in an excluded namespace, nor where the kubelet sets them", async () => {
    const { side } = await nri.serve(["--swap-behavior", "LimitedSwap", "--exclude-namespace", "shop"]);
    expect(await created(side, subjectOf(1))).toEqual({ "memory.swap.max": "0" });
    const limited = { namespace: "bank", unified: { "memory.swap.max": "4096" } };
    expect(await created(side, subjectOf(2, limited))).toEqual({});
  });

  test("are left out, and containers start, if the node's memory cannot be read", async () => {
    const { side, plugin } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    nri.node.write("/proc/meminfo", "");
    expect(await created(side, subjectOf(1))).toEqual({});
    expect(await plugin.event("node-unknown")).toMatchObject({ level: "warning" });
  });

  test("are left out if the kernel has no files for them", async () => {
    await Bun.$`rm ${nri.node.root}/sys/fs/cgroup/system.slice/memory.swap.max`;
    const { side, plugin } = await nri.serve();
    expect(await plugin.event("swap-limits-impossible")).toMatchObject({ level: "warning" });
    expect(await created(side, subjectOf(1, bronze))).toEqual({ "memory.high": BRONZE["memory.high"] });
  });
});
