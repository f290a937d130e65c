/** The runner as `npm test` starts it, on small test files outside of the repository. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { ROOT } from "../node/binary.ts";
import { SLOWNESS_VARIABLE } from "../patience.ts";

const folder = mkdtempSync(`${tmpdir()}/wasp-runner-`);
afterAll(() => rmSync(folder, { recursive: true }));

function testFile(name: string, body: string): string {
  const file = `${folder}/${name}.test.ts`;
  writeFileSync(file, `import { expect, test } from "bun:test";\n${body}\n`);
  return file;
}

function startRunner(files: readonly string[], slowness?: string) {
  return Bun.spawn([process.execPath, `${ROOT}/tests/run.ts`, ...files], {
    cwd: ROOT,
    env: { ...process.env, [SLOWNESS_VARIABLE]: slowness },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function runnerOn(...files: readonly string[]) {
  return outcomeOf(startRunner(files, "1"));
}

async function outcomeOf(runner: ReturnType<typeof startRunner>) {
  const [stdout, exitCode] = await Promise.all([runner.stdout.text(), runner.exited]);
  return { exitCode, stdout, lines: stdout.trimEnd().split("\n") };
}

describe("the runner", () => {
  test("prints a group with failures as FAIL, with the failed tests and what they printed", async () => {
    const good = testFile("good", 'test("adds", () => expect(1 + 1).toBe(2));');
    const bad = testFile(
      "bad",
      'test("adds", () => {});\ntest("subtracts", () => { console.log("seen"); expect(2 - 1).toBe(2); });',
    );
    const { exitCode, stdout, lines } = await runnerOn(good, bad);
    expect(exitCode).toBe(1);
    expect(lines).toContainEqual(
      expect.stringMatching(/^ok {3}\S+good\.test\.ts: 1 passed, 0 failed \(.* s\)$/),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(/^FAIL \S+bad\.test\.ts: 1 passed, 1 failed \(.* s\)$/),
    );
    expect(lines.filter((line) => /^ok .*bad/.test(line))).toEqual([]);
    expect(lines).toContain("     subtracts");
    expect(stdout).toContain("seen");
    expect(stdout).toMatch(/\nfailed:\n {2}\S+bad\.test\.ts: subtracts\n/);
    expect(lines.at(-1)).toBe("2 passed, 1 failed");
  });

  test.each([
    ["a skipped test", 'test.skip("later", () => {});', "later (skipped)"],
    [
      "a file that does not load",
      'throw new Error("broken");',
      "(bun test ended with 1, its tests are not known)",
    ],
    ["a process that is killed", 'process.kill(process.pid, "SIGKILL");', "its tests are not known)"],
  ])("counts %s as failed", async (_, body, failed) => {
    const { exitCode, stdout, lines } = await runnerOn(testFile("special", body));
    expect(exitCode).toBe(1);
    expect(stdout).toContain(failed);
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
  });

  test("measures the machine, and passes that to the tests", async () => {
    const file = testFile(
      "slowness",
      'test("knows", () => expect(process.env.WASP_TEST_SLOWNESS).toMatch(/^\\d+(\\.\\d\\d?)?$/));',
    );
    const { exitCode, lines } = await outcomeOf(startRunner([file]));
    expect(lines[0]).toMatch(
      /^this machine, with \d+ processors, is \d+\.\d\d times as slow as the reference/,
    );
    expect(exitCode).toBe(0);
  });

  test.each(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "that %s ends ends whatever the tests started, emulators included",
    async (signal) => {
      // In a session of its own, as a daemon is: neither a process group nor a parent leads to it.
      const seconds = `${10_000 + Math.floor(Math.random() * 80_000)}`;
      const file = testFile(
        "emulator",
        `test("runs", async () => { await Bun.spawn(["setsid", "--fork", "sleep", "${seconds}"]).exited; await Bun.sleep(50_000); });`,
      );
      const runner = startRunner([file], "1");
      await until(() => isRunning("sleep", seconds));
      runner.kill(signal);
      await runner.exited;
      await until(() => !isRunning("sleep", seconds));
      expect(await runner.exited).toBe(128 + constants.signals[signal]);
    },
  );
});

function isRunning(...argv: readonly string[]): boolean {
  return readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === argv.map((word) => `${word}\0`).join("");
    } catch {
      return false;
    }
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(20);
}
