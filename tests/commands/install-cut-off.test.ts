import { describe, expect, test } from "bun:test";
import { InstallHost } from "../node/install-host.ts";

const JOURNAL = "/var/lib/wasp/install.json";

/** Returns a host that needs every change of wasp install. */
function barestHost(): InstallHost {
  const host = new InstallHost();
  host.write("/etc/crio/crio.conf", '[crio.runtime]\nhooks_dir = ["/opt/hooks.d"]\n');
  host.write("/opt", "in the way of the folder");
  host.addProcess(700, "kubelet", ["kubelet", "--config-dir=/etc/kubernetes/kubelet.conf.d"]);
  host.write("/etc/kubernetes/kubelet.conf.d/50-wasp.conf", "kind: KubeletConfiguration\n", 0o600);
  return host;
}

/** Returns all files of a host except the journal, whose entries may be in another order. */
function listingOf(host: InstallHost): Record<string, string> {
  const { [JOURNAL]: _, ...rest } = host.listing();
  return rest;
}

/** Installs on such a host, and returns its files and the duration in milliseconds. */
async function wholeRun(): Promise<{ listing: Record<string, string>; milliseconds: number }> {
  using host = barestHost();
  const startedAt = performance.now();
  await host.wasp("install");
  return { milliseconds: performance.now() - startedAt, listing: listingOf(host) };
}

const MOMENTS = Array.from({ length: 6 }, (_, index) => (index + 1) / 7);

describe("a run that is killed", () => {
  test.each(MOMENTS)("after %d of its time is repeated, and undone", async (moment) => {
    const whole = await wholeRun();
    using host = barestHost();
    const before = host.listing();
    await host.killed("install", whole.milliseconds * moment);

    expect(await host.wasp("install")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(listingOf(host)).toEqual(whole.listing);
    await host.killed("uninstall", whole.milliseconds * moment);
    expect(await host.wasp("uninstall")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(host.listing()).toEqual(before);
  });

  test.each(MOMENTS)("after %d of its time is undone as it is", async (moment) => {
    const { milliseconds } = await wholeRun();
    using host = barestHost();
    const before = host.listing();
    await host.killed("install", milliseconds * moment);
    expect(await host.wasp("uninstall")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(host.listing()).toEqual(before);
  });

  test("by the command that it runs, runs that command again", async () => {
    using host = barestHost();
    const before = host.listing();
    host.onCommand("kill -9 $PPID");
    expect((await host.wasp("install")).exitCode).not.toBe(0);
    host.onCommand("");
    const { stdout } = await host.wasp("install");
    expect(stdout).toContain("ran systemctl daemon-reload\n");
    const apply = expect.stringContaining("set-property --runtime system.slice");
    expect((await host.wasp("install")).stdout).toContain("nothing to do: ");
    expect(host.ran).toEqual([apply, apply, "systemctl daemon-reload"]);

    host.onCommand("kill -9 $PPID");
    expect((await host.wasp("uninstall")).exitCode).not.toBe(0);
    host.onCommand("");
    expect(await host.wasp("uninstall")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(host.listing()).toEqual(before);
    expect(host.ran).toHaveLength(6);
  });
});

describe("a command that fails", () => {
  test("ends the run with its error, and is run again", async () => {
    using host = barestHost();
    host.onCommand("echo no bus >&2; exit 3");
    const { exitCode, stdout, stderr } = await host.wasp("install");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("MemorySwapMax=0: exit status 3: no bus");
    expect(stderr).toContain("fix the error and run wasp install again, or run wasp uninstall");
    expect(stdout).not.toContain("installed:");

    host.onCommand("");
    expect((await host.wasp("install")).exitCode).toBe(0);
    expect((await host.wasp("install")).stdout).toContain("nothing to do: ");
  });

  test("ends wasp uninstall, which can be repeated", async () => {
    using host = barestHost();
    const before = host.listing();
    await host.wasp("install");
    host.onCommand("echo no bus >&2; exit 3");
    const { exitCode, stderr } = await host.wasp("uninstall");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("MemorySwapMax=infinity: exit status 3: no bus");
    host.onCommand("");
    expect((await host.wasp("uninstall")).exitCode).toBe(0);
    expect(host.listing()).toEqual(before);
  });
});
