import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { areAllDone } from "../../../src/install/remote/report.ts";
import { ROOT } from "../../node/binary.ts";
import { failing, runIn, runOn, textOf } from "./run-in-sandbox.ts";
import { SshSandbox } from "./ssh-sandbox.ts";

const golden = (name: string) => Bun.file(`${ROOT}/tests/golden/${name}.txt`).text();

describe("a host fails", () => {
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
    node2: { ssh: failing("ssh: connect to host node2 port 22: Connection refused") },
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

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(20);
}
