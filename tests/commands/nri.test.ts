import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { ContainerState } from "../../src/nri/api_pb.ts";
import { ROOT, WASP, wasp } from "../node/binary.ts";
import { allOf, created, NriNode, resized, subjectOf } from "../node/nri-node.ts";
import { RunningWasp } from "../node/running-wasp.ts";

const GI = 2 ** 30;
const BRONZE = { "memory.high": `${GI / 2}`, "memory.swap.max": "max" };
const bronze = { annotations: { "class.memory-qos.nri.io": "bronze" } };
const named = { namespace: "shop", pod: "web-1", container: "app", id: "container-1" };

let nri: NriNode;

beforeEach(() => {
  nri = new NriNode();
});

afterEach(() => nri[Symbol.asyncDispose]());

describe("a container that is made", () => {
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
    ["nothing asked for", {}, {}],
  ])("has %s", async (_, options, unified) => {
    const { side } = await nri.serve();
    expect(await created(side, subjectOf(1, options))).toEqual(unified as never);
  });

  test("is told of in one line", async () => {
    const { side, plugin } = await nri.serve();
    await created(side, subjectOf(1, bronze));
    expect(await plugin.event("container-limits-set")).toMatchObject({
      ...named,
      level: "info",
      set: `memory.high=${GI / 2} memory.swap.max=max`,
      class: "bronze",
      swap: "memory-qos-class",
    });
  });

  test.each<[string, Parameters<typeof subjectOf>[1], string, string]>([
    [
      "of an unknown class",
      { annotations: { "class.memory-qos.nri.io": "gold" } },
      "unknown-class",
      'class.memory-qos.nri.io: "gold" is none: the classes of this node are bronze, silver',
    ],
    [
      "of a class, without a memory limit",
      { ...bronze, memoryLimitBytes: undefined },
      "class-without-memory-limit",
      'class.memory-qos.nri.io: "bronze" needs a memory limit: set resources.limits.memory, ' +
        'or take this container out with class.memory-qos.nri.io/app: ""',
    ],
    [
      "that asks for a file that is not listed",
      { annotations: { "memory.oom.group.memory-qos.nri.io": "1" } },
      "file-not-listed",
      'memory.oom.group.memory-qos.nri.io: "1" may not be set by a pod on this node: memory.swap.max, memory.high may',
    ],
    [
      "that asks for a value that is none",
      { annotations: { "memory.high.memory-qos.nri.io": "half" } },
      "wrong-value",
      'memory.high.memory-qos.nri.io: "half" is not max, or a quantity of bytes such as 512Mi',
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
    // The next one is served.
    expect(await created(side, subjectOf(2, bronze))).toEqual(BRONZE);
    expect(plugin.events("nri-request-failed")).toEqual([]);
  });

  test("starts without what is wrong, where that is to be ignored", async () => {
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

  test("heed annotations, classes first and flags last", async () => {
    const { side } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    const swapMaxOf = async (annotations: Record<string, string>) =>
      (await created(side, subjectOf(1, { annotations })))["memory.swap.max"];
    const own = { "wasp.io/swap-limit": "1Mi" };
    expect(await swapMaxOf(own)).toBe("1048576");
    expect(await swapMaxOf({ ...own, ...bronze.annotations })).toBe("1048576");
    expect(await swapMaxOf(bronze.annotations)).toBe("max");
    expect(await swapMaxOf({ ...own, "memory.swap.max.memory-qos.nri.io": "2Mi" })).toBe("2097152");
  });

  test("are none in an excluded namespace, nor where the kubelet sets them", async () => {
    const { side } = await nri.serve(["--swap-behavior", "LimitedSwap", "--exclude-namespace", "shop"]);
    expect(await created(side, subjectOf(1))).toEqual({ "memory.swap.max": "0" });
    const limited = { namespace: "bank", unified: { "memory.swap.max": "4096" } };
    expect(await created(side, subjectOf(2, limited))).toEqual({});
  });

  test("are left out, and containers start, where the node's memory cannot be read", async () => {
    const { side, plugin } = await nri.serve(["--swap-behavior", "LimitedSwap"]);
    nri.node.write("/proc/meminfo", "");
    expect(await created(side, subjectOf(1))).toEqual({});
    expect(await plugin.event("node-unknown")).toMatchObject({ level: "warning" });
  });

  test("are left out where the kernel has no files for them", async () => {
    await Bun.$`rm ${nri.node.root}/sys/fs/cgroup/system.slice/memory.swap.max`;
    const { side, plugin } = await nri.serve();
    expect(await plugin.event("swap-limits-impossible")).toMatchObject({ level: "warning" });
    expect(await created(side, subjectOf(1, bronze))).toEqual({ "memory.high": `${GI / 2}` });
  });
});

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
    // A change of something else repeats what there is.
    expect(await resized(side, subject, undefined)).toEqual({
      "memory.high": `${GI}`,
      "memory.swap.max": "max",
    });
    expect(plugin.events("container-limits-changed")).toHaveLength(1);
  });

  test("that asks for nothing is resized as it was requested", async () => {
    const { side } = await nri.serve();
    await created(side, subjectOf(1));
    expect(await resized(side, subjectOf(1), 2 * GI)).toEqual({});
  });

  test("gets its class when the plugin comes, once", async () => {
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

  test("keeps all of its limits where its annotation is wrong", async () => {
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

  /** What the runtime was asked for, in order. */
  const asked: [string, object][] = [];
  const behavior = {
    updates: ({ update }: { update: { containerId: string; linux?: object }[] }) => {
      for (const { containerId, linux } of update)
        asked.push([containerId, (linux as { resources: { unified: object } }).resources.unified]);
      return { failed: update.filter(({ containerId }) => containerId === "container-9") };
    },
  } as never;

  beforeEach(() => {
    asked.length = 0;
  });

  test("is applied to new containers, and to those that run", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    for (const number of [1, 2]) await created(side, subjectOf(number, bronze));
    await created(side, subjectOf(3));
    await created(side, subjectOf(4, bronze));
    await side.call("stopContainer", subjectOf(4));
    nri.setConfig(config(0.75));
    expect(await plugin.event("config-reloaded")).toMatchObject({
      classes: "bronze=0.75",
      unifiedAnnotations: "memory.swap.max memory.high",
    });
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-2");
    expect(asked).toEqual([
      ["container-1", { "memory.high": `${GI / 4}` }],
      ["container-2", { "memory.high": `${GI / 4}` }],
    ]);
    expect(await created(side, subjectOf(5, bronze))).toEqual({ ...BRONZE, "memory.high": `${GI / 4}` });
  });

  test("gives back what its class no longer sets", async () => {
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

  test("takes nothing away from containers whose annotations are wrong now", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    const annotations = { ...bronze.annotations, "memory.swap.max.memory-qos.nri.io": "1Gi" };
    await created(side, subjectOf(1, { annotations }));
    await created(side, subjectOf(2, bronze));
    nri.setConfig(config(0.75, "memory.high"));
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-2");
    expect(asked).toEqual([["container-2", { "memory.high": `${GI / 4}` }]]);
    expect(await plugin.event("annotation-ignored")).toMatchObject({ ...named, reason: "file-not-listed" });
  });

  test("that is wrong leaves the one before in force", async () => {
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

  test("is told of where the runtime does not take it, and goes on with the others", async () => {
    const { side, plugin } = await nri.serve([], {}, behavior);
    await created(side, subjectOf(9, bronze));
    await created(side, subjectOf(1, bronze));
    nri.setConfig(config(0.75));
    await plugin.event("container-limits-changed", ({ pod }) => pod === "web-1");
    expect(await plugin.event("container-limits-failed")).toMatchObject({ level: "warning", pod: "web-9" });
  });

  test("comes from the runtime where there is no file", async () => {
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

  test("is the file's where the runtime has one too", async () => {
    const runtime = await nri.listen();
    nri.start();
    const side = await runtime.connection();
    await side.begin({}, config(0.25));
    expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
  });
});

describe("a runtime that comes and goes", () => {
  test("is found again, and told what changed meanwhile", async () => {
    const { side, plugin } = await nri.serve();
    await created(side, subjectOf(1, bronze));
    const runtime = await nri.listen();
    expect(await plugin.event("nri-disconnected")).toMatchObject({ level: "warning" });
    nri.setConfig("classes: [{name: bronze, swaplimitratio: 0.75}]\n");
    await plugin.event("config-reloaded");
    const next = await runtime.connection();
    const { update } = await next.begin(allOf(subjectOf(1, { ...bronze, unified: BRONZE })));
    expect(update.map(({ linux }) => linux?.resources?.unified)).toEqual([{ "memory.high": `${GI / 4}` }]);
    expect(await created(next, subjectOf(2, bronze))).toMatchObject({ "memory.high": `${GI / 4}` });
  });

  test("is waited for where it is not there yet", async () => {
    const plugin = nri.start();
    expect(await plugin.event("nri-unreachable")).toMatchObject({ level: "warning" });
    const runtime = await nri.listen();
    const side = await runtime.connection();
    await side.begin();
    expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
  });

  test("ends the plugin, where that is asked for", async () => {
    const { side, plugin } = await nri.serve(["--exit-on-disconnect"]);
    side.close();
    expect(await plugin.ended()).toBe(0);
  });

  test("is waited for no longer than asked for", async () => {
    expect(await nri.start(["--exit-on-disconnect"]).ended()).toBe(1);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("is left at %s", async (signal) => {
    const { side, plugin } = await nri.serve();
    expect(await plugin.stop(signal)).toBe(0);
    await side.closed;
    expect(plugin.events("nri-stopping")).toHaveLength(1);
  });

  test("does not keep the plugin from ending while it is looked for", async () => {
    const plugin = nri.start();
    await plugin.event("nri-unreachable");
    expect(await plugin.stop()).toBe(0);
  });
});

test("registers as it is told to", async () => {
  const runtime = await nri.listen();
  nri.start(["-name", "swap", "-idx=07"]);
  const side = await runtime.connection();
  expect(await side.registered).toMatchObject({ pluginName: "swap", pluginIdx: "07" });
});

// Connects, and goes on as the program behind the socket's path with the connection as descriptor 3, as runtimes do.
const WITH_SOCKET = `
  use Socket; use POSIX qw(dup2);
  $^F = 3; # keeps descriptors up to 3 open
  socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die $!;
  connect($socket, sockaddr_un(shift)) or die $!;
  dup2(fileno($socket), 3) or die $!;
  exec { $ARGV[0] } @ARGV or die $!;`;

test("runs as a runtime starts it: by any name, without a word, on a socket that is open", async () => {
  const runtime = await nri.listen();
  const launched = `${nri.node.root}/40-memory-qos`;
  symlinkSync(WASP, launched);
  const env = {
    NRI_PLUGIN_NAME: "memory-qos",
    NRI_PLUGIN_IDX: "40",
    NRI_PLUGIN_SOCKET: "3",
    FSROOT: nri.node.root,
  };
  const under = ["perl", "-e", WITH_SOCKET, nri.socket];
  await using plugin = new RunningWasp([], env, under, launched);
  const side = await runtime.connection();
  expect(await side.registered).toMatchObject({ pluginName: "memory-qos", pluginIdx: "40" });
  await side.begin({}, "classes: [{name: bronze, swaplimitratio: 0.5}]");
  expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
  side.close();
  expect(await plugin.ended()).toBe(0);
});

describe("what cannot be run", () => {
  test.each<[string, string[], string]>([
    ["an unknown flag", ["--on-eror", "ignore"], "unknown flag --on-eror: did you mean --on-error?"],
    ["an index of one digit", ["--idx", "4"], '--idx: "4" is not two digits, from 00 to 99'],
    ["a name with a blank", ["--name", "a b"], '--name: "a b" is not a name of letters, digits, and . _ + -'],
    ["a policy that is none", ["--on-error", "retry"], '--on-error: "retry" is not one of Refuse, Ignore'],
    [
      "a knob of swap that has no effect",
      ["--pod-overrides", "Any"],
      "--pod-overrides is set without --swap-behavior: no swap is shared out then",
    ],
    [
      "a file that is not there",
      ["--config", "/nowhere/file"],
      "--config: cannot read /nowhere/file: ENOENT",
    ],
  ])("%s", async (_, flags, complaint) => {
    const { exitCode, stderr } = await wasp(["nri", ...flags]);
    expect(stderr).toContain(complaint);
    expect(exitCode).toBe(2);
  });

  test("a wrong file, with all that is wrong in it", async () => {
    nri.setConfig("classes: [{name: a, swaplimitratio: 2}]\nunifiedannotations: [cpu.max]\n");
    const { exitCode, stderr } = await wasp(["nri", "--config", nri.configFile]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${nri.configFile}:1: swaplimitratio: 2 is not a number from 0 to 1`);
    expect(stderr).toContain(
      `${nri.configFile}:2: unifiedannotations: "cpu.max" is no file of a cgroup's memory`,
    );
  });

  test("a descriptor that is none", async () => {
    const { exitCode, stderr } = await wasp([], "ignore", { NRI_PLUGIN_SOCKET: "x" });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('NRI_PLUGIN_SOCKET: "x" is not a whole number from 0 to 1048576');
  });

  test("cgroup v1", async () => {
    await Bun.$`rm ${nri.node.root}/sys/fs/cgroup/cgroup.controllers`;
    const { exitCode, stderr } = await wasp(["nri", "--fsroot", nri.node.root]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("/sys/fs/cgroup: is cgroup v1");
  });
});

test("prints what it runs with, as a file that it takes", async () => {
  const flags = ["-vv", "--swap-behavior", "limitedswap", "--print-config"];
  const first = await wasp(["nri", ...flags, "--config", nri.configFile]);
  expect(first.exitCode).toBe(0);
  // As wide as the folder's name.
  const shown = first.stdout.replaceAll(nri.node.root, "").replaceAll(/ {2,}(?=\w+( --.*)?$)/gm, "  ");
  expect(shown).toBe(await Bun.file(`${ROOT}/tests/golden/nri-print-config.txt`).text());
  nri.setConfig(first.stdout);
  const second = await wasp(["nri", ...flags, "--config", nri.configFile]);
  expect(second.stdout).toBe(first.stdout);
});
