import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { areAllDone } from "../../../src/install/remote/report.ts";
import { type HostsRun, runOnHosts } from "../../../src/install/remote/run-on-hosts.ts";
import { ROOT } from "../../node/binary.ts";
import { type SandboxHost, SshSandbox } from "./ssh-sandbox.ts";

const golden = (name: string) => Bun.file(`${ROOT}/tests/golden/${name}.txt`).text();

/** A run on all hosts of a sandbox, and what it showed. */
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
    programFor: () => sandbox.program,
    parallel: 5,
    connectSeconds: 10,
    timeoutSeconds: 30,
    terminal: { write: (text) => (shown += text), isTerminal: false, columns: 80, rows: 24 },
    shownOutput: "failed",
    stop: new AbortController().signal,
    ssh: sandbox.ssh,
    folder: "lib",
    installedProgram: "installed",
    ...differences,
  });
  return { outcomes, shown, copies: await sandbox.copies() };
}

const textOf = ({ output }: HostOutcome) => output.map(({ text }) => text);

describe("on a host where all goes well", () => {
  test("wasp runs with the words it was given, and its copy is gone afterwards", async () => {
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

  test("what a power cut left of a copy is taken away, and another session's copy is not", async () => {
    await using sandbox = await SshSandbox.make({ node1: {} });
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const old = `.wasp-ssh-${boot.replaceAll(/\w/g, "0")}-abcdefghij`;
    const other = `.wasp-ssh-${boot}-abcdefghij`;
    for (const copy of [old, other]) await mkdir(`${sandbox.host("node1")}/lib/${copy}`);
    const { copies } = await runIn(sandbox, ["node1"]);
    expect(copies).toEqual([`hosts/node1/lib/${other}`]);
  });

  test("wasp sees nothing of the host's environment, and has no input", async () => {
    const profile = "export BUN_BE_BUN=1 LD_PRELOAD=";
    const { outcomes } = await runOn({ node1: { profile, wasp: "env; cat" } });
    const [outcome] = outcomes as [HostOutcome];
    const names = textOf(outcome).map((line) => line.split("=")[0]);
    expect(names.sort()).toEqual(["HOME", "LC_ALL", "PATH", "PWD", "told install"]);
  });

  test("nothing is copied where the program is installed already", async () => {
    await using sandbox = await SshSandbox.make({ node1: { wasp: 'echo "in $0"' } });
    await Bun.$`cp ${sandbox.program} ${sandbox.host("node1")}/installed`;
    const { outcomes, shown } = await runIn(sandbox, ["node1"], {
      installedProgram: `${sandbox.host("node1")}/installed`,
    });
    expect(textOf(outcomes[0] as HostOutcome)[0]).toBe(`in ${sandbox.host("node1")}/installed`);
    expect(shown).not.toContain("copying");
  });

  test("another program at its place is not run", async () => {
    await using sandbox = await SshSandbox.make({ node1: {} });
    await Bun.write(`${sandbox.host("node1")}/installed`, "#!/bin/sh\necho other\n");
    const { outcomes } = await runIn(sandbox, ["node1"]);
    expect(textOf(outcomes[0] as HostOutcome)).toEqual(["told install"]);
  });

  test("a login shell that greets does no harm", async () => {
    const profile = "printf 'Welcome to \\033[31mnode1'; echo careful >&2";
    const { outcomes } = await runOn({ node1: { profile } });
    expect(textOf(outcomes[0] as HostOutcome)).toEqual(["told install"]);
  });

  test("what ssh is told leaves no host key to trust and nobody to ask", async () => {
    await using sandbox = await SshSandbox.make({ node1: {} });
    await runIn(sandbox, ["node1"]);
    const options = await readFile(`${sandbox.host("node1")}/options`, "utf8");
    for (const option of ["StrictHostKeyChecking=yes", "BatchMode=yes", "ConnectTimeout=10"])
      expect(options).toContain(`-o ${option}`);
  });
});

const asUser = (sudo: string) => ({ id: "echo 1000", sudo });

describe("a user who is not root", () => {
  test("has sudo run it", async () => {
    const sudo = '[ "$1 $2" = "-n --" ] || exit 9; shift 2; AS_ROOT=yes exec "$@"';
    const { outcomes } = await runOn({ node1: { programs: asUser(sudo) } });
    expect(outcomes).toMatchObject([{ result: "done" }]);
  });

  test("fails where sudo wants a password", async () => {
    const programs = asUser("echo sudo: a password is required >&2; exit 1");
    const { outcomes } = await runOn({ node1: { programs } });
    expect(outcomes[0]?.reason).toBe(
      "the user is not root and may not use sudo without a password: sudo: a password is required: log in as root, or allow it",
    );
  });
});

const saying = (text: string) => `echo "${text}" >&2; exit 255`;

describe("a host fails", () => {
  const table: readonly (readonly [string, SandboxHost, string])[] = [
    [
      "that refuses",
      { ssh: saying("ssh: connect to host node1 port 22: Connection refused") },
      "no connection: ssh: connect to host node1 port 22: Connection refused",
    ],
    [
      "whose key is not known",
      { ssh: saying("No ED25519 host key is known for node1\nHost key verification failed.") },
      "its host key is not known here: run ssh node1 once and compare the fingerprint, or add what ssh-keyscan finds to " +
        "known_hosts after comparing it",
    ],
    [
      "whose key has changed",
      { ssh: saying("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.") },
      "its host key is not the one that is known here: somebody may be in between. Compare the fingerprint at its " +
        "console; if it is right, ssh-keygen -R takes the old one away",
    ],
    [
      "that refuses all keys",
      { ssh: saying("root@node1: Permission denied (publickey,password).") },
      "it refuses the keys it was offered: root@node1: Permission denied (publickey,password): name another for it in " +
        "ssh's configuration, or add it to the agent",
    ],
    [
      "whose account allows no commands",
      { ssh: "echo This service allows sftp connections only.; exit 1" },
      "its login shell ended with 1 and did not run what it was told: This service allows sftp connections only",
    ],
    [
      "that does nothing at all",
      { ssh: "exit 0" },
      "its login shell ended with 0 and did not run what it was told",
    ],
    [
      "of an architecture that wasp is not for",
      { programs: { uname: "echo riscv64" } },
      "its architecture is riscv64: wasp is there for x64 and arm64",
    ],
    [
      "with a full disk",
      { programs: { head: "echo head: write error: No space left on device >&2; exit 1" } },
      "wasp could not be copied there: head: write error: No space left on device",
    ],
    [
      "that gets another program than was sent",
      { programs: { head: 'busybox head "$@" | tr e a' } },
      "wasp could not be copied there: the copy of wasp arrived damaged",
    ],
    [
      "on which wasp fails",
      { wasp: "echo swap: the disk is full >&2; exit 1" },
      "wasp ended with 1: swap: the disk is full",
    ],
    [
      "on which wasp fails, and tells of the consequences",
      {
        wasp: "echo binary; printf '\\n ERROR  the disk is full\\n\\n ERROR  nothing was changed\\n\\n' >&2; exit 1",
      },
      "wasp ended with 1: the disk is full",
    ],
    [
      "that is not as it should be",
      { wasp: "echo '1 error, 0 warnings'; echo; echo 'error  swap  none'; exit 1" },
      "wasp ended with 1: 1 error, 0 warnings",
    ],
    [
      "that is not as it should be, for programs",
      { wasp: "echo '{'; echo '  \"findings\": []'; echo '}'; exit 3" },
      "wasp ended with 3",
    ],
    [
      "that is lost while wasp runs",
      { wasp: "echo client_loop: send disconnect: Broken pipe >&2; exit 255" },
      "the connection was lost while wasp ran, which may be half done: run it again: client_loop: send disconnect: " +
        "Broken pipe",
    ],
    [
      "that leaves something behind, which keeps ssh's output open",
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
    ["that hangs and does not listen", "trap '' TERM; sleep 600; sleep 600"],
  ])("%s", async (_, ssh) => {
    const { outcomes } = await runOn({ node1: { ssh } }, { timeoutSeconds: 2 });
    const reason = "not done after 2 s: stopped while connecting";
    expect(outcomes).toMatchObject([{ result: "failed", reason }]);
  });

  test("for whose architecture there is no program", async () => {
    const programFor = (arch: string) => {
      throw new Error(`there is no wasp for ${arch} here`);
    };
    const { outcomes } = await runOn({ node1: { programs: { uname: "echo aarch64" } } }, { programFor });
    expect(outcomes).toMatchObject([{ arch: "arm64", reason: "there is no wasp for arm64 here" }]);
  });

  test("alone", async () => {
    const { outcomes } = await runOn({ node1: {}, node2: { ssh: "exit 255" }, node3: {} }, { parallel: 1 });
    expect(outcomes.map(({ result }) => result)).toEqual(["done", "failed", "done"]);
    expect(areAllDone(outcomes)).toBe(false);
  });
});

describe("several at a time", () => {
  // Each waits for the other to have begun.
  const meet = (self: string, other: string) =>
    `touch ../${self}.begun; for _ in $(seq 200); do [ -f ../${other}.begun ] && exit; sleep 0.1; done; exit 1`;

  test("are as many as are allowed", async () => {
    const { outcomes } = await runOn(
      { node1: { wasp: meet("node1", "node2") }, node2: { wasp: meet("node2", "node1") } },
      { parallel: 2 },
    );
    expect(areAllDone(outcomes)).toBe(true);
  });

  test("are no more than are allowed", async () => {
    const alone = "mkdir ../alone && sleep 0.2 && rmdir ../alone";
    const hosts = Object.fromEntries(
      ["node1", "node2", "node3"].map((name) => [name, { wasp: `${alone} || exit 1` }]),
    );
    const { outcomes } = await runOn(hosts, { parallel: 1 });
    expect(areAllDone(outcomes)).toBe(true);
  });
});

describe("whoever stops it all", () => {
  // Says when it runs, and that it was told to end.
  const wasp = "trap 'touch ended; exit 1' TERM; touch begun; while :; do sleep 0.1; done";

  test("has wasp told to end, its copy taken away, and no other host begun", async () => {
    await using sandbox = await SshSandbox.make({ node1: { wasp }, node2: {} });
    const stop = new AbortController();
    const running = runIn(sandbox, ["node1", "node2"], { parallel: 1, stop: stop.signal });
    await until(() => existsSync(`${sandbox.host("node1")}/begun`));
    stop.abort();
    const { outcomes } = await running;
    expect(outcomes).toMatchObject([
      { result: "stopped", reason: "stopped while wasp ran there, which may be half done: run it again" },
      { result: "not-begun" },
    ]);
    await until(
      async () => existsSync(`${sandbox.host("node1")}/ended`) && (await sandbox.copies()).length === 0,
    );
  });

  test("leaves no half copy", async () => {
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

test("a host that floods fills no memory", async () => {
  const { outcomes } = await runOn({ node1: { wasp: "head -c 20000000 /dev/zero | tr '\\0' x" } });
  const lines = textOf(outcomes[0] as HostOutcome);
  expect(lines.pop()).toBe("wasp: the host wrote more than is kept");
  const characters = lines.join("\n").length;
  expect(characters).toBeGreaterThan(1_000_000);
  expect(characters).toBeLessThanOrEqual(1024 ** 2);
});

test("shows it on what is no terminal", async () => {
  const hosts = {
    node1: { wasp: "echo quiet" },
    node2: { ssh: saying("ssh: connect to host node2 port 22: Connection refused") },
    node3: { wasp: "exec >&2; echo; echo node1: done; printf '\\033[2J\\n'; echo broken; exit 3" },
  };
  const { shown } = await runOn(hosts, { parallel: 1 });
  expect(shown.replace(/\d+\.\d s/g, "N s")).toBe(await golden("remote-plain"));
  const all = await runOn({ node1: hosts.node1 }, { shownOutput: "all" });
  expect(all.shown).toContain("node1:   quiet\nnode1:   told install\n");
});

test("shows it on a terminal", async () => {
  let shown = "";
  const terminal = { write: (text: string) => (shown += text), isTerminal: true, columns: 80, rows: 24 };
  await runOn({ node1: {} }, { terminal });
  for (const activity of ["connecting", "copying 0 %", "running"])
    expect(shown).toContain(`\x1b[Jnode1  ${activity}\n0 of 1 hosts finished, 0 failed, 0 waiting\n`);
  expect(shown).toContain("node1: done in ");
  // The lines that are drawn again are gone in the end.
  expect(shown).toEndWith("1 of 1 hosts finished, 0 failed, 0 waiting\n\x1b[1A\x1b[J");
});

test("refuses what no shell can be given, and an ssh that is not there", async () => {
  await expect(runOn({ node1: {} }, { remoteArgv: ["a\nb"] })).rejects.toThrow("has a control character");
  await expect(runOn({ node1: {} }, { ssh: "ssh-that-is-not-there" })).rejects.toThrow(
    "ssh-that-is-not-there is not in PATH: Debian has it in openssh-client",
  );
});
