/** `wasp install` on other hosts, as it is given on a command line; they are this one, which is only planned for. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { WASP } from "../node/binary.ts";
import { Sshd } from "./sshd.ts";

let sshd: Sshd;
let host: string;

beforeAll(async () => {
  sshd = await Sshd.start();
  await mkdir(`${sshd.folder}/bin`);
  // With the PATH of before, or it would find itself.
  const script = `#!/bin/sh\nPATH='${process.env["PATH"]}' exec ${sshd.ssh} "$@"\n`;
  await writeFile(`${sshd.folder}/bin/ssh`, script, { mode: 0o755 });
  await mkdir(`${sshd.folder}/here`);
  host = sshd.host("127.0.0.1");
});

afterAll(() => sshd?.[Symbol.asyncDispose]());

function wasp(...argv: string[]) {
  const env = { ...process.env, PATH: `${sshd.folder}/bin:${process.env["PATH"]}` };
  const { exitCode, stdout, stderr } = Bun.spawnSync([WASP, ...argv], {
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

const planned = () => ["--dry-run", "--only=binary", `--fsroot=${sshd.folder}/here`];

test("each host plans for itself, and one that cannot be reached stops no other", async () => {
  const hosts = `${sshd.folder}/hosts`;
  await writeFile(hosts, `${host} # this one\n\n${sshd.host("127.0.0.3")}\n`);
  const { exitCode, stdout } = wasp("install", `--hosts=${hosts}`, "--verbose", ...planned());
  expect(exitCode).toBe(1);
  expect(stdout).toContain("create /usr/local/bin/wasp");
  expect(stdout).toContain("its host key has changed, which may be a man-in-the-middle attack");
  expect(stdout).toEndWith("1 of 2 hosts done, 1 failed\n");
  expect(await readdir(`${sshd.folder}/here`)).toEqual([]);
});

test("for programs, what each host said is one document", () => {
  const { exitCode, stdout } = wasp(
    "install",
    `--ssh=${host}`,
    "-o",
    "json",
    "--parallel",
    "1",
    ...planned(),
  );
  expect(exitCode).toBe(0);
  const [outcome] = JSON.parse(stdout).hosts;
  expect(outcome).toMatchObject({ host, result: "done", report: { outcome: "planned", dryRun: true } });
});

test("a host that wasp was never installed on has nothing to uninstall", () => {
  const { exitCode, stdout } = wasp("uninstall", "--ssh", host, "--verbose", `--fsroot=${sshd.folder}/here`);
  expect([exitCode, stdout]).toEqual([
    0,
    expect.stringContaining("nothing to do: this host has no changes of wasp install"),
  ]);
});

test.each([
  [["--parallel=2"], "--parallel: only valid with --ssh or --hosts"],
  [["--ssh=-oProxyCommand=x"], '"-oProxyCommand=x" begins with "-"'],
  [["--ssh=a", "--root=/image"], "--root: an image can only be changed on the host that has it"],
  [["--hosts=/nowhere/hosts"], "/nowhere/hosts"],
])("%j is refused", (flags, complaint) => {
  const { exitCode, stderr } = wasp("install", ...flags);
  expect(exitCode).toBeGreaterThan(0);
  expect(stderr).toContain(complaint);
});
