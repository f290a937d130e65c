import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { Finding } from "../../src/install/finding/finding.ts";
import { CheckedHost } from "../install/check/checked-host.ts";
import { type Outcome, wasp } from "../node/binary.ts";

let host: CheckedHost;
let commands = "";
beforeEach(() => {
  host = new CheckedHost();
  commands = mkdtempSync(`${tmpdir()}/wasp-commands-`);
  // Commands of a host are run by chroot. The executable in this host is an empty file.
  writeFileSync(`${commands}/chroot`, '#!/bin/sh\necho "wasp stand-in: $*"\n');
  chmodSync(`${commands}/chroot`, 0o755);
});
afterEach(() => {
  host[Symbol.dispose]();
  rmSync(commands, { recursive: true });
});

function check(...flags: readonly string[]): Promise<Outcome> {
  return run("--check", "--fsroot", host.fsroot, ...flags);
}

function run(...flags: readonly string[]): Promise<Outcome> {
  return wasp(["install", ...flags], "ignore", { PATH: `${commands}:/usr/bin:/bin` });
}

async function severities(...flags: readonly string[]): Promise<Record<string, string>> {
  const { findings }: { findings: readonly Finding[] } = JSON.parse(
    (await check(...flags, "-o", "json")).stdout,
  );
  return Object.fromEntries(findings.map(({ id, severity }) => [id, severity]));
}

// Without root, the files of the test host belong to another user, which is a finding.
const isRoot = process.getuid?.() === 0;

describe("wasp install --check", () => {
  test.if(isRoot)("finds no error on a sound host", async () => {
    const { exitCode, stdout, stderr } = await check();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^0 errors, 0 warnings, 0 unknown, 0 notes, \d+ ok\n/);
    expect(stdout).toMatch(/^ok +binary +\/usr\/local\/bin\/wasp: wasp stand-in: .* --version$/m);
  });

  test.if(isRoot)("exits with 3 for warnings and unknown facts", async () => {
    host.write("/proc/sys/vm/swappiness", "0\n");
    expect((await check()).exitCode).toBe(3);
    host.write("/proc/sys/vm/swappiness", "");
    expect((await check()).exitCode).toBe(3);
  });

  test("exits with 1 for errors, and shows them first with their remedies", async () => {
    host.setSwaps();
    host.write("/proc/sys/vm/swappiness", "0\n");
    const { exitCode, stdout } = await check();
    expect(exitCode).toBe(1);
    const lines = stdout.split("\n").map((line) => line.trim().replace(/ +/g, " "));
    const [error, right, remedy] = lines.slice(lines.findIndex((line) => line.startsWith("error swap ")));
    expect([error, right, remedy]).toEqual([
      "error swap no swap is on, although /dev/dm-0 is turned on at boot",
      "right: swap is on",
      "remedy: systemctl start swap.target",
    ]);
    expect(stdout.indexOf("no swap is on")).toBeLessThan(stdout.indexOf("vm.swappiness is 0"));
  });

  test("prints the same as JSON", async () => {
    host.setSwaps();
    host.remove("/etc/systemd/system/swap.target.wants");
    const { exitCode, stdout } = await check("-o", "json");
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ check: "wasp.io/check/v1", exitStatus: exitCode });
    expect(document.findings).toContainEqual({
      id: "swap",
      severity: "error",
      found: "no swap is on",
      right: "swap is on",
      remedy: "wasp install --only swap --overcommit 150%",
    });
  });

  test("finds the changes of wasp install, and that they are missing after wasp uninstall", async () => {
    for (const path of ["/usr/local", "/usr/share", "/etc/systemd", "/etc/kubernetes"]) host.remove(path);
    const parts = ["hook", "system-slice-after-boot", "kubelet-fail-swap-on"];
    const bad = { hook: "error", "system-slice-after-boot": "warning", "kubelet-fail-swap-on": "error" };
    const ofParts = async () => {
      const all = await severities();
      return Object.fromEntries(parts.map((id) => [id, all[id]]));
    };
    expect(await ofParts()).toEqual(bad);
    expect(await run("--fsroot", host.fsroot)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await ofParts()).toEqual(Object.fromEntries(parts.map((id) => [id, "ok"])));
    expect(await severities()).toMatchObject({
      restart: "warning",
      "hook-loaded": "ok",
      "hooks-valid": "ok",
    });
    await wasp(["uninstall", "--fsroot", host.fsroot], "ignore", { PATH: `${commands}:/usr/bin:/bin` });
    expect(await ofParts()).toEqual(bad);
  });

  test("reads only files of an image", async () => {
    const { stdout } = await run("--check", "--root", host.fsroot);
    expect(stdout).toContain("hook ");
    expect(stdout).not.toMatch(/swappiness|chroot|unknown +\w/);
  });

  test.each(["--only=swap", "--skip=swap", "--restart"])("is refused with %s", async (flag) => {
    const { exitCode, stdout, stderr } = await check(flag);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("--check checks all parts and changes nothing");
  });
});
