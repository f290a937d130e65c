import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { areAllDone } from "../../../src/install/remote/report.ts";
import { type HostsRun, runOnHosts } from "../../../src/install/remote/run-on-hosts.ts";
import { ROOT } from "../../node/binary.ts";
import { type SandboxHost, SshSandbox } from "./ssh-sandbox.ts";

const golden = (name: string) => Bun.file(`${ROOT}/tests/golden/${name}.txt`).text();

/** Runs wasp on all hosts of a sandbox, and returns the outcomes, the display and the copies that are left. */
async function runOn(
  hosts: Readonly<Record<string, SandboxHost>>,
  differences: Partial<HostsRun> = {},
): Promise<{ outcomes: HostOutcome[]; shown: string; copies: string[] }> {
  await using sandbox = await SshSandbox.make(hosts);
  return await runIn(sandbox, Object.keys(hosts), differences);
}

async function runIn(sandbox: SshSandbox, names: readonly string[], differences: Partial<HostsRun> = {}) {
  let shown = "";
  const outcomes = await runOnHosts({
    hosts: names.map((destination) => ({ destination })),
    remoteArgv: ["install"],
    executableFor: () => sandbox.program,
    parallel: 5,
    connectSeconds: 10,
    timeoutSeconds: 30,
    terminal: { write: (text) => (shown += text), isTerminal: false, columns: 80, rows: 24 },
    shownOutput: "failed",
    stop: new AbortController().signal,
    ssh: sandbox.ssh,
    folder: "lib",
    installedPath: "installed",
    ...differences,
  });
  return { outcomes, shown, copies: await sandbox.copies() };
}

const textOf = ({ output }: HostOutcome) => output.map(({ text }) => text);

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

  test("ssh gets options against unknown host keys and prompts", async () => {
    await using sandbox = await SshSandbox.make({ node1: {} });
    await runIn(sandbox, ["node1"]);
    const options = await readFile(`${sandbox.host("node1")}/options`, "utf8");
    for (const option of ["StrictHostKeyChecking=yes", "BatchMode=yes", "ConnectTimeout=10"])
      expect(options).toContain(`-o ${option}`);
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

const saying = (text: string) => `echo "${text}" >&2; exit 255`;

describe("a host fails", () => {
  const table: readonly (readonly [string, SandboxHost, string])[] = [
    [
      "that refuses the connection",
      { ssh: saying("ssh: connect to host node1 port 22: Connection refused") },
      "no connection: ssh: connect to host node1 port 22: Connection refused",
    ],
    [
      "with an unknown host key",
      { ssh: saying("No ED25519 host key is known for node1\nHost key verification failed.") },
      "its host key is unknown: run ssh node1 once and compare the fingerprint, or compare the output of ssh-keyscan and " +
        "add it to known_hosts",
    ],
    [
      "with a changed host key",
      { ssh: saying("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.") },
      "its host key has changed, which may be a man-in-the-middle attack: compare the fingerprint on the host's " +
        "console; if it matches, remove the old key with ssh-keygen -R",
    ],
    [
      "that rejects all keys",
      { ssh: saying("root@node1: Permission denied (publickey,password).") },
      "it rejected all offered keys: root@node1: Permission denied (publickey,password): configure another key for it in " +
        "the ssh configuration, or add one to ssh-agent",
    ],
    [
      "with an account that allows no commands",
      { ssh: "echo This service allows sftp connections only.; exit 1" },
      "its login shell exited with status 1 without running the command: This service allows sftp connections only",
    ],
    [
      "with a login shell that does nothing",
      { ssh: "exit 0" },
      "its login shell exited with status 0 without running the command",
    ],
    [
      "with an architecture that wasp is not built for",
      { programs: { uname: "echo riscv64" } },
      "its architecture is riscv64: wasp is built for x64 and arm64",
    ],
    [
      "with a full disk",
      { programs: { head: "echo head: write error: No space left on device >&2; exit 1" } },
      "wasp could not be copied to the host: head: write error: No space left on device",
    ],
    [
      "that receives a corrupt copy",
      { programs: { head: 'busybox head "$@" | tr e a' } },
      "wasp could not be copied to the host: the copy of wasp is corrupt: its digest differs",
    ],
    [
      "on which wasp fails",
      { wasp: "echo swap: the disk is full >&2; exit 1" },
      "wasp exited with status 1: swap: the disk is full",
    ],
    [
      "on which wasp fails, with a second error for the consequences",
      {
        wasp: "echo binary; printf '\\n ERROR  the disk is full\\n\\n ERROR  nothing was changed\\n\\n' >&2; exit 1",
      },
      "wasp exited with status 1: the disk is full",
    ],
    [
      "whose check finds an error",
      { wasp: "echo '1 error, 0 warnings'; echo; echo 'error  swap  none'; exit 1" },
      "wasp exited with status 1: 1 error, 0 warnings",
    ],
    [
      "whose check finds warnings, as JSON",
      { wasp: "echo '{'; echo '  \"findings\": []'; echo '}'; exit 3" },
      "wasp exited with status 3",
    ],
    [
      "that loses the connection while wasp is running",
      { wasp: "echo client_loop: send disconnect: Broken pipe >&2; exit 255" },
      "the connection was lost while wasp was running, so its work may be incomplete: run it again: client_loop: send " +
        "disconnect: Broken pipe",
    ],
    [
      "whose ssh leaves a process behind that keeps the output open",
      { ssh: "sleep 20 & echo Connection reset >&2; exit 255" },
      "no connection: Connection reset",
    ],
  ];

  test.each(table)("%s", async (_, host, reason) => {
    const { outcomes, copies } = await runOn({ node1: host });
    expect(outcomes).toMatchObject([{ host: "node1", result: "failed", reason }]);
    expect(areAllDone(outcomes)).toBe(false);
    expect(copies).toEqual([]);
  });

  test.each([
    ["that hangs", "exec sleep 600"],
    ["that hangs and ignores SIGTERM", "trap '' TERM; sleep 600; sleep 600"],
  ])("%s", async (_, ssh) => {
    const { outcomes } = await runOn({ node1: { ssh } }, { timeoutSeconds: 2 });
    const reason = "timed out after 2 s while connecting";
    expect(outcomes).toMatchObject([{ result: "failed", reason }]);
  });

  test("without an executable for its architecture", async () => {
    const executableFor = (arch: string) => {
      throw new Error(`no wasp executable for ${arch}`);
    };
    const { outcomes } = await runOn({ node1: { programs: { uname: "echo aarch64" } } }, { executableFor });
    expect(outcomes).toMatchObject([{ arch: "arm64", reason: "no wasp executable for arm64" }]);
  });

  test("without stopping the others", async () => {
    const { outcomes } = await runOn({ node1: {}, node2: { ssh: "exit 255" }, node3: {} }, { parallel: 1 });
    expect(outcomes.map(({ result }) => result)).toEqual(["done", "failed", "done"]);
    expect(areAllDone(outcomes)).toBe(false);
  });
});

describe("concurrent sessions", () => {
  // Each waits until the other has begun.
  const awaitOther = (self: string, other: string) =>
    `touch ../${self}.begun; for _ in $(seq 200); do [ -f ../${other}.begun ] && exit; sleep 0.1; done; exit 1`;

  test("are as many as allowed", async () => {
    const { outcomes } = await runOn(
      { node1: { wasp: awaitOther("node1", "node2") }, node2: { wasp: awaitOther("node2", "node1") } },
      { parallel: 2 },
    );
    expect(areAllDone(outcomes)).toBe(true);
  });

  test("are no more than allowed", async () => {
    const alone = "mkdir ../alone && sleep 0.2 && rmdir ../alone";
    const hosts = Object.fromEntries(
      ["node1", "node2", "node3"].map((name) => [name, { wasp: `${alone} || exit 1` }]),
    );
    const { outcomes } = await runOn(hosts, { parallel: 1 });
    expect(areAllDone(outcomes)).toBe(true);
  });
});

describe("an aborted run", () => {
  // Leaves files when it begins and when it is terminated.
  const wasp = "trap 'touch ended; exit 1' TERM; touch begun; while :; do sleep 0.1; done";

  test("terminates wasp, removes its copy, and begins no other host", async () => {
    await using sandbox = await SshSandbox.make({ node1: { wasp }, node2: {} });
    const stop = new AbortController();
    const running = runIn(sandbox, ["node1", "node2"], { parallel: 1, stop: stop.signal });
    await until(() => existsSync(`${sandbox.host("node1")}/begun`));
    stop.abort();
    const { outcomes } = await running;
    expect(outcomes).toMatchObject([
      {
        result: "stopped",
        reason: "stopped while wasp was running, so its work may be incomplete: run it again",
      },
      { result: "not-begun" },
    ]);
    await until(
      async () => existsSync(`${sandbox.host("node1")}/ended`) && (await sandbox.copies()).length === 0,
    );
  });

  test("leaves no partial copy", async () => {
    await using sandbox = await SshSandbox.make({
      node1: { programs: { head: "touch begun; exec cat" } },
    });
    const stop = new AbortController();
    const running = runIn(sandbox, ["node1"], { stop: stop.signal });
    await until(() => existsSync(`${sandbox.host("node1")}/begun`));
    stop.abort();
    const { outcomes } = await running;
    expect(outcomes).toMatchObject([{ result: "stopped", reason: "stopped while copying" }]);
    await until(async () => (await sandbox.copies()).length === 0);
  });
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(20);
}

test("the output of a host is truncated", async () => {
  const { outcomes } = await runOn({ node1: { wasp: "head -c 20000000 /dev/zero | tr '\\0' x" } });
  const lines = textOf(outcomes[0] as HostOutcome);
  expect(lines.pop()).toBe("wasp: output truncated");
  const characters = lines.join("\n").length;
  expect(characters).toBeGreaterThan(1_000_000);
  expect(characters).toBeLessThanOrEqual(1024 ** 2);
});

test("progress is shown in a pipe", async () => {
  const hosts = {
    node1: { wasp: "echo quiet" },
    node2: { ssh: saying("ssh: connect to host node2 port 22: Connection refused") },
    node3: { wasp: "exec >&2; echo; echo node1: done; printf '\\033[2J\\n'; echo broken; exit 3" },
  };
  const { shown } = await runOn(hosts, { parallel: 1 });
  expect(shown.replace(/\d+\.\d s/g, "N s")).toBe(await golden("remote-plain"));
  const all = await runOn({ node1: hosts.node1 }, { shownOutput: "all" });
  expect(all.shown).toContain("node1:   quiet\nnode1:   arguments: install\n");
});

test("progress is shown on a terminal", async () => {
  let shown = "";
  const terminal = { write: (text: string) => (shown += text), isTerminal: true, columns: 80, rows: 24 };
  await runOn({ node1: {} }, { terminal });
  for (const activity of ["connecting", "copying 0 %", "running"])
    expect(shown).toContain(`\x1b[Jnode1  ${activity}\n0 of 1 hosts finished, 0 failed, 0 waiting\n`);
  expect(shown).toContain("node1: done in ");
  // The redrawn lines are erased at the end.
  expect(shown).toEndWith("1 of 1 hosts finished, 0 failed, 0 waiting\n\x1b[1A\x1b[J");
});

test("an argument that some shells cannot pass on, and a missing ssh, are refused", async () => {
  await expect(runOn({ node1: {} }, { remoteArgv: ["a\nb"] })).rejects.toThrow("has a control character");
  await expect(runOn({ node1: {} }, { ssh: "ssh-that-is-not-there" })).rejects.toThrow(
    "ssh-that-is-not-there is not in PATH: install it (package openssh-client on Debian)",
  );
});
