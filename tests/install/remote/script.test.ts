import { describe, expect, test } from "bun:test";
import { mkdir, readFile } from "node:fs/promises";
import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { runIn, runOn, textOf } from "./run-in-sandbox.ts";
import { SshSandbox } from "./ssh-sandbox.ts";

describe("on a host without faults", () => {
  test("wasp gets its arguments unchanged, and its copy is removed afterwards", async () => {
    const words = [
      "install",
      "it's",
      "a  b",
      "$HOME",
      "`id`",
      "\\n",
      "!x",
      "é",
      "",
      "~",
      "=x",
      "{a,b}",
      "*",
      "-o",
    ];
    const wasp = 'for word in "$@"; do printf "<%s>\\n" "$word"; done; echo "in $0"';
    const { outcomes, copies } = await runOn({ node1: { wasp } }, { remoteArgv: words });
    const [outcome] = outcomes as [HostOutcome];
    expect(outcome).toMatchObject({ host: "node1", result: "done", arch: process.arch, exitStatus: 0 });
    expect(textOf(outcome).slice(0, words.length)).toEqual(words.map((word) => `<${word}>`));
    expect(textOf(outcome)).toContainEqual(expect.stringMatching(/^in lib\/\.wasp-ssh-[\w-]+\/wasp$/));
    expect(copies).toEqual([]);
  });

  test("a copy left by a power cut is removed, and that of another session is kept", async () => {
    await using sandbox = await SshSandbox.make({ node1: {} });
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const old = `.wasp-ssh-${boot.replaceAll(/\w/g, "0")}-abcdefghij`;
    const other = `.wasp-ssh-${boot}-abcdefghij`;
    for (const copy of [old, other]) await mkdir(`${sandbox.host("node1")}/lib/${copy}`);
    const { copies } = await runIn(sandbox, ["node1"]);
    expect(copies).toEqual([`hosts/node1/lib/${other}`]);
  });

  test("wasp has no variables of the host's environment, and no input", async () => {
    const profile = "export BUN_BE_BUN=1 LD_PRELOAD=";
    const { outcomes } = await runOn({ node1: { profile, wasp: "env; cat" } });
    const [outcome] = outcomes as [HostOutcome];
    const names = textOf(outcome).map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(["HOME", "LC_ALL", "PATH", "PWD", "arguments: install"]);
  });

  test("nothing is copied if the same executable is installed already", async () => {
    await using sandbox = await SshSandbox.make({ node1: { wasp: 'echo "in $0"' } });
    await Bun.$`cp ${sandbox.program} ${sandbox.host("node1")}/installed`;
    const { outcomes, shown } = await runIn(sandbox, ["node1"], {
      installedPath: `${sandbox.host("node1")}/installed`,
    });
    expect(textOf(outcomes[0] as HostOutcome)[0]).toBe(`in ${sandbox.host("node1")}/installed`);
    expect(shown).not.toContain("copying");
  });

  test("a different executable at the installed path is not run", async () => {
    await using sandbox = await SshSandbox.make({ node1: {} });
    await Bun.write(`${sandbox.host("node1")}/installed`, "#!/bin/sh\necho other\n");
    const { outcomes } = await runIn(sandbox, ["node1"]);
    expect(textOf(outcomes[0] as HostOutcome)).toEqual(["arguments: install"]);
  });

  test("a greeting of the login shell is ignored", async () => {
    const profile = "printf 'Welcome to \\033[31mnode1'; echo careful >&2";
    const { outcomes } = await runOn({ node1: { profile } });
    expect(textOf(outcomes[0] as HostOutcome)).toEqual(["arguments: install"]);
  });
});

const asUser = (sudo: string) => ({ id: "echo 1000", sudo });

describe("a user who is not root", () => {
  test("runs wasp with sudo", async () => {
    const sudo = '[ "$1 $2" = "-n --" ] || exit 9; shift 2; AS_ROOT=yes exec "$@"';
    const { outcomes } = await runOn({ node1: { programs: asUser(sudo) } });
    expect(outcomes).toMatchObject([{ result: "done" }]);
  });

  test("fails if sudo needs a password", async () => {
    const programs = asUser("echo sudo: a password is required >&2; exit 1");
    const { outcomes } = await runOn({ node1: { programs } });
    expect(outcomes[0]?.reason).toBe(
      "the user is not root and may not use sudo without a password: sudo: a password is required: log in as root, or allow sudo without a password",
    );
  });
});
