import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { usageOf } from "../bench/process-usage.ts";
import { ROOT, WASP, wasp } from "../node/binary.ts";
import { allOf, BRONZE, bronze, created, NriNode, subjectOf } from "../node/nri-node.ts";
import { RunningWasp } from "../node/running-wasp.ts";

const GI = 2 ** 30;

let nri: NriNode;

beforeEach(() => {
  nri = new NriNode();
});

afterEach(() => nri[Symbol.asyncDispose]());

describe("a runtime that comes and goes", () => {
  test("is connected to again, and gets the updates from meanwhile", async () => {
    const { side, plugin } = await nri.serve();
    await created(side, subjectOf(1, bronze));
    const runtime = await nri.listen();
    expect(await plugin.event("nri-disconnected")).toMatchObject({ level: "warning" });
    nri.setConfig("classes: [{name: bronze, swaplimitratio: 0.75}]\n");
    await plugin.event("memory-qos-configured", ({ classes }) => classes === "bronze=0.75");
    const next = await runtime.connection();
    const { update } = await next.begin(allOf(subjectOf(1, { ...bronze, unified: BRONZE })));
    expect(update.map(({ linux }) => linux?.resources?.unified)).toEqual([{ "memory.high": `${GI / 4}` }]);
    expect(await created(next, subjectOf(2, bronze))).toMatchObject({ "memory.high": `${GI / 4}` });
  });

  test("is waited for before it runs", async () => {
    const plugin = nri.start();
    expect(await plugin.event("nri-unreachable")).toMatchObject({ level: "warning" });
    const runtime = await nri.listen();
    const side = await runtime.connection();
    await side.begin();
    expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
  });

  test("ends the plugin, if configured so", async () => {
    const { side, plugin } = await nri.serve(["--exit-on-disconnect"]);
    side.close();
    expect(await plugin.ended()).toBe(0);
  });

  test("is not waited for, if configured so", async () => {
    expect(await nri.start(["--exit-on-disconnect"]).ended()).toBe(1);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("is left at %s", async (signal) => {
    const { side, plugin } = await nri.serve();
    expect(await plugin.stop(signal)).toBe(0);
    await side.closed;
    expect(plugin.events("nri-stopping")).toHaveLength(1);
  });

  test("does not keep the plugin from ending before it runs", async () => {
    const plugin = nri.start();
    await plugin.event("nri-unreachable");
    expect(await plugin.stop()).toBe(0);
  });
});

test("registers under the configured name and index", async () => {
  const runtime = await nri.listen();
  nri.start(["-name", "swap", "-idx=07"]);
  const side = await runtime.connection();
  expect(await side.registered).toMatchObject({ pluginName: "swap", pluginIdx: "07" });
});

// Connects, and executes the program given after the socket's path with the connection as descriptor 3, as runtimes do.
const WITH_SOCKET = `
  use Socket; use POSIX qw(dup2);
  $^F = 3; # keeps descriptors up to 3 open
  socket(my $socket, AF_UNIX, SOCK_STREAM, 0) or die $!;
  connect($socket, sockaddr_un(shift)) or die $!;
  dup2(fileno($socket), 3) or die $!;
  exec { $ARGV[0] } @ARGV or die $!;`;

test("runs as a runtime starts it: by any name, without arguments, on an open socket", async () => {
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

test("uses little memory when idle, with 500 known containers, after thousands that came and went", async () => {
  const { side, plugin } = await nri.serve(
    [],
    allOf(...Array.from({ length: 500 }, (_, n) => subjectOf(n, bronze))),
  );
  side.areFramesKept = false;
  for (let number = 1000; number < 3000; number++) {
    await created(side, subjectOf(number, bronze));
    await side.call("removeContainer", subjectOf(number));
  }
  const rssBytes = () => usageOf(plugin.pid).rssBytes;
  await plugin.until(() => rssBytes() < 60 * 2 ** 20, "it held less than 60 MiB");
  expect(await created(side, subjectOf(1, bronze))).toEqual(BRONZE);
  expect(await plugin.stop()).toBe(0);
  expect(plugin.events("nri-stopping")).toMatchObject([{ containers: 500 }]);
});

describe("invalid options", () => {
  test.each<[string, string[], string]>([
    ["an unknown flag", ["--on-eror", "ignore"], "unknown flag --on-eror: did you mean --on-error?"],
    ["an index of one digit", ["--idx", "4"], '--idx: "4" is not two digits, from 00 to 99'],
    ["a name with a blank", ["--name", "a b"], '--name: "a b" is not a name of letters, digits, and . _ + -'],
    ["an unknown policy", ["--on-error", "retry"], '--on-error: "retry" is not one of Refuse, Ignore'],
    [
      "a knob of swap that has no effect",
      ["--pod-overrides", "Any"],
      "--pod-overrides is only valid with --swap-behavior",
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

  test("an invalid file, with all its faults", async () => {
    nri.setConfig("classes: [{name: a, swaplimitratio: 2}]\nunifiedannotations: [cpu.max]\n");
    const { exitCode, stderr } = await wasp(["nri", "--config", nri.configFile]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${nri.configFile}:1: swaplimitratio: 2 is not a number from 0 to 1`);
    expect(stderr).toContain(
      `${nri.configFile}:2: unifiedannotations: "cpu.max" is not a writable memory file of a cgroup`,
    );
  });

  test("an invalid descriptor", async () => {
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

test("prints its configuration as a valid file", async () => {
  const flags = ["-vv", "--swap-behavior", "limitedswap", "--print-config"];
  const first = await wasp(["nri", ...flags, "--config", nri.configFile]);
  expect(first.exitCode).toBe(0);
  // Its width depends on the folder's name.
  const shown = first.stdout.replaceAll(nri.node.root, "").replaceAll(/ {2,}(?=\w+( --.*)?$)/gm, "  ");
  expect(shown).toBe(await Bun.file(`${ROOT}/tests/golden/nri-print-config.txt`).text());
  nri.setConfig(first.stdout);
  const second = await wasp(["nri", ...flags, "--config", nri.configFile]);
  expect(second.stdout).toBe(first.stdout);
});
