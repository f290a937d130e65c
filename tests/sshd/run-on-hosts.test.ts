/** Hosts that are reached through the real ssh and sshd. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { version } from "../../package.json";
import type { HostOutcome } from "../../src/install/remote/outcome.ts";
import { type HostsRun, runOnHosts } from "../../src/install/remote/run-on-hosts.ts";
import { WASP } from "../node/binary.ts";
import { patience } from "../patience.ts";
import { Sshd } from "./sshd.ts";

let sshd: Sshd;
let folder: string;

beforeAll(async () => {
  sshd = await Sshd.start();
  folder = `${sshd.folder}/lib`;
  await mkdir(folder);
});

afterAll(() => sshd?.[Symbol.asyncDispose]());

async function run(hosts: HostsRun["hosts"], differences: Partial<HostsRun> = {}): Promise<HostOutcome[]> {
  const outcomes = await runOnHosts({
    hosts,
    remoteArgv: ["--version"],
    executableFor: () => WASP,
    parallel: 5,
    // ssh takes whole seconds.
    connectSeconds: Math.ceil(patience(20) / 1000),
    timeoutSeconds: patience(50) / 1000,
    terminal: { write: () => {}, isTerminal: false, columns: 80, rows: 24 },
    shownOutput: "none",
    stop: new AbortController().signal,
    ssh: sshd.ssh,
    folder,
    installedPath: `${sshd.folder}/installed`,
    ...differences,
  });
  return outcomes;
}

test("the executable is copied to several hosts at once, run on each, and taken away", async () => {
  const outcomes = await run([sshd.host("127.0.0.1"), sshd.host("127.0.0.2")]);
  expect(outcomes).toMatchObject([
    { result: "done", arch: process.arch, exitStatus: 0 },
    { result: "done", arch: process.arch, exitStatus: 0 },
  ]);
  for (const { output } of outcomes)
    expect(output).toEqual([{ stream: "stdout", text: expect.stringContaining(`wasp ${version} (`) }]);
  expect(await readdir(folder)).toEqual([]);
});

test("what wasp says on its standard error, and its exit status, come back", async () => {
  const [outcome] = await run([sshd.host("127.0.0.1")], { remoteArgv: ["no such command"] });
  expect(outcome).toMatchObject({ result: "failed", exitStatus: 2 });
  expect(outcome?.reason).toStartWith("wasp exited with status 2: ");
  expect(outcome?.reason).toContain("unknown command no such command");
});

test("no host key is taken on trust, whatever the user's configuration says", async () => {
  const outcomes = await run([
    sshd.host("127.0.0.3"),
    sshd.host("127.0.0.4"),
    sshd.host("127.0.0.1", "nobody"),
  ]);
  expect(outcomes.map(({ result }) => result)).toEqual(["failed", "failed", "failed"]);
  const [changed, unknown, refused] = outcomes.map(({ reason }) => reason);
  expect(changed).toStartWith("its host key has changed, which may be a man-in-the-middle attack");
  expect(unknown).toStartWith("its host key is unknown: run ssh ssh://root@127.0.0.4:");
  expect(refused).toStartWith(
    "it rejected all offered keys: nobody@127.0.0.1: Permission denied (publickey)",
  );
  expect(await Bun.file(`${sshd.folder}/known_hosts`).text()).not.toContain("127.0.0.4");
});

describe("where wasp is at work", () => {
  let begun: string;
  let ended: string;

  /** Writes a program in wasp's place that runs until SIGTERM, and returns its path. */
  async function slowProgram(name: string): Promise<string> {
    [begun, ended] = [`${sshd.folder}/${name}.begun`, `${sshd.folder}/${name}.ended`];
    const program = `${sshd.folder}/${name}`;
    const script = `trap 'echo > ${ended}; exit 1' TERM; echo $PPID > ${begun}.new; mv ${begun}.new ${begun}; while :; do sleep 0.1; done`;
    await writeFile(program, `#!/bin/sh\n${script}\n`);
    return program;
  }

  test("it receives SIGTERM when the run is stopped, and its copy is removed", async () => {
    const program = await slowProgram("stopped");
    const stop = new AbortController();
    const running = run([sshd.host("127.0.0.1")], { executableFor: () => program, stop: stop.signal });
    await until(() => existsSync(begun));
    expect(await readdir(folder)).toHaveLength(1);
    stop.abort();
    expect(await running).toMatchObject([{ result: "stopped" }]);
    await until(async () => existsSync(ended) && (await readdir(folder)).length === 0);
  });

  test("a lost connection is distinguished from a failing wasp", async () => {
    const program = await slowProgram("lost");
    const running = run([sshd.host("127.0.0.1")], { executableFor: () => program });
    await until(() => existsSync(begun));
    process.kill(await serverOf(Number(await Bun.file(begun).text())));
    const [outcome] = await running;
    expect(outcome).toMatchObject({ result: "failed" });
    expect(outcome?.exitStatus).toBeUndefined();
    expect(outcome?.reason).toStartWith(
      "the connection was lost while wasp was running, so its work may be incomplete: run it again",
    );
    await until(async () => existsSync(ended) && (await readdir(folder)).length === 0);
  });
});

/** The server's process for a session: the parent of the shell that it runs. */
async function serverOf(shell: number): Promise<number> {
  const stat = await Bun.file(`/proc/${shell}/stat`).text();
  return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[2]);
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(20);
}
