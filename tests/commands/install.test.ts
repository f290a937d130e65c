import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import definition from "../../hooks.d/wasp-swap.json" with { type: "text" };
import { ROOT, WASP, wasp } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";

const HOOK = "/usr/share/containers/oci/hooks.d/wasp-swap.json";
const BINARY = "/usr/local/bin/wasp";
const SLICE = "/etc/systemd/system/system.slice.d/50-wasp.conf";
const JOURNAL = "/var/lib/wasp/install.json";
const KUBELET_DROP_IN = "/etc/kubernetes/kubelet.conf.d/50-wasp.conf";

/** Returns a host with CRI-O and a kubelet that reads drop-ins. */
function nodeHost(): InstallHost {
  const host = new InstallHost();
  host.write(
    "/etc/crio/crio.conf",
    '[crio.runtime]\ndefault_runtime = "crun"\n[crio.runtime.runtimes.runc]\n',
  );
  host.write("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n");
  const flags = ["--config=/var/lib/kubelet/config.yaml", "--config-dir", "/etc/kubernetes/kubelet.conf.d"];
  host.addProcess(700, "kubelet", ["/usr/bin/kubelet", ...flags]);
  return host;
}

describe("wasp install", () => {
  test("sets a host up, has nothing to do in a second run, and is undone completely", async () => {
    using host = nodeHost();
    const before = host.listing();

    const first = await host.wasp("install");
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(first.stdout).toContain("installed: 6 changes, read back and as planned\n");
    expect(first.stdout).toContain(
      "note: CRI-O runs pods with the runtime crun; a RuntimeClass may ask for runc",
    );
    expect(readFileSync(host.root + BINARY).equals(readFileSync(WASP))).toBe(true);
    expect(host.read(HOOK)).toBe(definition as unknown as string);
    expect(host.read(SLICE)).toContain("\nMemorySwapMax=0\n");
    expect(host.read(KUBELET_DROP_IN)).toContain(
      '\nfailSwapOn: false\nevictionSoft:\n  memory.available: "1Gi"\n',
    );
    const atOnce = expect.stringContaining("systemctl set-property --runtime system.slice");
    expect(host.ran).toEqual([atOnce, "systemctl daemon-reload"]);

    const installed = host.listing();
    const again = await host.wasp("install");
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    expect(again.stdout).toContain("nothing to do: ");
    expect(host.listing()).toEqual(installed);
    expect(host.ran).toHaveLength(2);

    const undone = await host.wasp("uninstall");
    expect(undone).toMatchObject({ exitCode: 0, stderr: "" });
    expect(undone.stdout).toEndWith("\nuninstalled\n");
    expect(host.listing()).toEqual(before);
    expect(host.ran.slice(2)).toEqual([atOnce, "systemctl daemon-reload"]);
    expect((await host.wasp("uninstall")).stdout).toContain("nothing to do: ");
  });

  test("writes no hook beside a kubelet that limits swap itself", async () => {
    using host = nodeHost();
    host.write("/var/lib/kubelet/config.yaml", "memorySwap: { swapBehavior: LimitedSwap }\n");
    const { exitCode, stdout } = await host.wasp("install");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("note: the kubelet limits swap itself");
    expect(existsSync(host.root + HOOK)).toBe(false);
    expect(existsSync(host.root + BINARY)).toBe(true);
  });

  test("repairs an earlier hook beside such a kubelet, and says how to remove it", async () => {
    using host = nodeHost();
    await host.wasp("install");
    const written = host.read(HOOK);
    host.write("/var/lib/kubelet/config.yaml", "memorySwap: { swapBehavior: LimitedSwap }\n");
    host.write(HOOK, written.replace("/usr/local/bin/wasp", "/usr/local/bin/gone"));
    const { exitCode, stdout } = await host.wasp("install", "--only", "hook");
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining("to remove this one: wasp uninstall --only hook"),
    });
    expect(host.read(HOOK)).toBe(written);
  });

  const CONTAINERD = "/etc/containerd/config.toml";
  test.each<[string, Record<string, string>, string]>([
    ["has no configuration", {}, CONTAINERD],
    [
      "imports a folder",
      { [CONTAINERD]: 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n' },
      "/etc/containerd/conf.d/50-wasp.toml",
    ],
    ["has a file of its own", { [CONTAINERD]: "version = 2\n" }, CONTAINERD],
  ])("turns NRI on, once, for a containerd that %s", async (_, files, path) => {
    using host = new InstallHost();
    host.write("/usr/bin/containerd", "", 0o755);
    for (const [file, text] of Object.entries(files)) host.write(file, text);
    const before = host.listing();
    expect(await host.wasp("install")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(Bun.TOML.parse(host.read(path))).toMatchObject({
      plugins: { "io.containerd.nri.v1.nri": { disable: false } },
    });
    const installed = host.listing();
    const again = await host.wasp("install", "--restart");
    expect(again.stdout).toContain("nothing to do: ");
    expect(host.listing()).toEqual(installed);
    expect(host.ran).not.toContain("systemctl restart containerd.service");
    expect(await host.wasp("uninstall")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(host.listing()).toEqual(before);
  });

  test("installs an executable that runs, and a hook that names it", async () => {
    using host = nodeHost();
    await host.wasp("install", "--binary-path", "/opt/wasp/bin/wasp");
    expect(JSON.parse(host.read(HOOK)).hook.args.slice(3)).toEqual([
      "wasp-guard",
      "/opt/wasp/bin/wasp",
      "hook",
    ]);
    const { stdout } = await Bun.$`${host.root}/opt/wasp/bin/wasp --version`.env({}).quiet();
    expect(stdout.toString()).toStartWith("wasp ");
  });

  test("replaces the hook of an earlier wasp, which had no guard", async () => {
    using host = nodeHost();
    await host.wasp("install", "--only", "binary", "--only", "hook");
    const installed = host.listing();
    const { hook, ...rest } = JSON.parse(host.read(HOOK));
    host.write(HOOK, JSON.stringify({ ...rest, hook: { ...hook, path: BINARY, args: ["wasp", "hook"] } }));
    const { exitCode } = await host.wasp("install", "--only", "hook");
    expect(exitCode).toBe(0);
    expect(host.read(HOOK)).toBe(definition as unknown as string);
    expect(host.listing()).toMatchObject(installed);
  });

  test("shows all changes and makes none with --dry-run", async () => {
    using host = nodeHost();
    const before = host.listing();
    const { exitCode, stdout } = await host.wasp("install", "--dry-run");
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`  create ${SLICE}: `);
    expect(stdout).toContain("    +MemorySwapMax=0\n");
    expect(stdout).toContain("  run systemctl daemon-reload\n");
    expect(host.listing()).toEqual(before);
    expect(host.ran).toEqual([]);
  });

  test("prints the same as JSON", async () => {
    using host = nodeHost();
    const dry = JSON.parse((await host.wasp("install", "--dry-run", "-o", "json")).stdout);
    expect(dry).toMatchObject({ outcome: "planned", dryRun: true, errors: [] });
    const done = JSON.parse((await host.wasp("install", "-o", "json")).stdout);
    expect(done).toEqual({ ...dry, outcome: "installed", dryRun: false });
    expect(done.parts[0]).toEqual({
      part: "binary",
      changes: [{ action: "create", kind: "program", path: BINARY, why: "the hook runs it" }],
      refusals: [],
      notes: [],
    });
    const again = JSON.parse((await host.wasp("install", "-o", "json")).stdout);
    expect(again.outcome).toBe("nothing-to-do");
    const undone = JSON.parse((await host.wasp("uninstall", "-o", "json")).stdout);
    expect(undone).toMatchObject({ outcome: "uninstalled", errors: [], limits: { become: "zero" } });
    expect(undone.changes[0]).toEqual({ action: "remove", part: "hook", kind: "file", path: HOOK });
  });

  test("shows the difference of a replaced text, and restores the original", async () => {
    using host = nodeHost();
    host.write(SLICE, "[Slice]\nMemorySwapMax=1G\n", 0o600);
    host.write(BINARY, "#!/bin/sh\n", 0o700);
    const before = host.listing();
    const { stdout } = await host.wasp("install");
    expect(stdout).toContain(`  replace ${BINARY}: a different executable of 10 bytes; the hook runs it\n`);
    expect(stdout).toContain(
      "    @@ -1,2 +1,3 @@\n    +# Written by wasp install.\n     [Slice]\n    -MemorySwapMax=1G\n",
    );
    await host.wasp("uninstall");
    expect(host.listing()).toEqual(before);
  });

  test("replaces the executable of an older wasp, and still undoes everything", async () => {
    using host = nodeHost();
    const before = host.listing();
    await host.wasp("install");
    const journal = JSON.parse(host.read(JOURNAL));
    host.write(BINARY, "an older one", 0o755);
    const digest = new Bun.CryptoHasher("sha256").update("an older one").digest("hex");
    const made = journal.made.map((entry: object) =>
      "path" in entry && entry.path === BINARY ? { ...entry, digests: [digest] } : entry,
    );
    host.write(JOURNAL, JSON.stringify({ ...journal, made }), 0o600);

    const { stdout } = await host.wasp("install");
    expect(stdout).toContain("installed: 1 change, ");
    expect(readFileSync(host.root + BINARY).equals(readFileSync(WASP))).toBe(true);
    await host.wasp("uninstall");
    expect(host.listing()).toEqual(before);
  });

  test("removes files that only earlier options needed, after writing the new ones", async () => {
    using host = nodeHost();
    const before = host.listing();
    await host.wasp("install", "--binary-path", "/opt/wasp/bin/wasp");
    const { stdout } = await host.wasp("install");
    expect(stdout).toContain("no longer planned\n  remove /opt/wasp/bin/wasp\n");
    expect(stdout).toContain(`replaced ${HOOK}\nremoved /opt/wasp/bin/wasp\ninstalled: 3 changes`);
    expect((await host.wasp("install")).stdout).toContain("nothing to do: ");
    await host.wasp("uninstall");
    expect(host.listing()).toEqual(before);
  });

  test("keeps the drop-in of a kubelet that is down", async () => {
    using host = nodeHost();
    await host.wasp("install");
    host.remove("/proc/700");
    expect((await host.wasp("install")).stdout).toContain("nothing to do: ");
    expect(Object.keys(host.listing())).toContain(KUBELET_DROP_IN);
  });

  test("installs only selected parts", async () => {
    using host = nodeHost();
    const { stdout } = await host.wasp(
      "install",
      "--only",
      "system-slice",
      "--only",
      "hook",
      "--skip",
      "hook",
    );
    expect(stdout).toContain("installed: 3 changes");
    expect(Object.keys(host.listing())).toContain(SLICE);
    expect(Object.keys(host.listing())).not.toContain(HOOK);
  });

  test("restarts services only when their settings change", async () => {
    using host = nodeHost();
    host.write("/etc/crio/crio.conf.d/10-hooks.conf", '[crio.runtime]\nhooks_dir = ["/opt/hooks.d"]\n');
    host.write("/opt", "in the way of the folder");
    const first = await host.wasp("install", "--restart", "--skip", "system-slice");
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    expect(host.read("/etc/crio/crio.conf.d/50-wasp.conf")).toEndWith(
      '[crio.runtime]\nhooks_dir = ["/opt/hooks.d","/etc/containers/oci/hooks.d"]\n',
    );
    expect(JSON.parse(host.read("/etc/containers/oci/hooks.d/wasp-swap.json")).version).toBe("1.0.0");
    const restarts = ["systemctl restart kubelet.service", "systemctl restart crio.service"];
    expect(host.ran).toEqual(restarts);
    await host.wasp("install", "--restart", "--skip", "system-slice");
    expect(host.ran).toEqual(restarts);
  });

  test("sets up an image without running commands, and does not follow its links out of it", async () => {
    using host = nodeHost();
    host.remove("/usr/local/bin");
    host.makeFolder("/var/usrlocal");
    host.remove("/usr/local");
    symlinkSync("/var/usrlocal", `${host.root}/usr/local`);
    const before = host.listing();
    const { exitCode, stdout } = await host.waspImage("install");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("deferred to the first boot of the node: systemctl daemon-reload\n");
    // Processes of this host are not those of the image.
    expect(stdout).toContain("there is no kubelet on this host");
    expect(Object.keys(host.listing())).toContain("/var/usrlocal/bin/wasp");
    await host.waspImage("uninstall");
    expect(host.listing()).toEqual(before);
    expect(host.ran).toEqual([]);
  });
});

describe("wasp install changes nothing", () => {
  test.each<[string, (host: InstallHost) => void, readonly string[], string]>([
    [
      "without the executable that the hook runs",
      () => {},
      ["--skip", "binary"],
      `the hook runs ${BINARY}, which is no executable: install the binary too`,
    ],
    [
      "if a folder is in the place of a file",
      (host) => host.makeFolder(HOOK),
      [],
      `${HOOK} is not a regular file, and wasp replaces only those`,
    ],
    [
      "if CRI-O's configuration cannot be parsed",
      (host) => host.write("/etc/crio/crio.conf", "[crio\n"),
      [],
      "/etc/crio/crio.conf is not TOML that wasp can read",
    ],
    [
      "under a kubelet whose flags contradict it",
      (host) => host.addProcess(700, "kubelet", ["kubelet", "--fail-swap-on"]),
      [],
      "the kubelet is started with --fail-swap-on, which overrides its files",
    ],
    [
      "if it cannot read the journal",
      (host) => host.write(JOURNAL, '{"version": 2}'),
      [],
      `${JOURNAL} is not a journal that this version of wasp can read`,
    ],
  ])("%s", async (_, breakHost, flags, complaint) => {
    using host = nodeHost();
    breakHost(host);
    const before = host.listing();
    const { exitCode, stderr } = await host.wasp("install", ...flags);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(complaint);
    expect(host.listing()).toEqual(before);
    expect(host.ran).toEqual([]);
  });

  test("with two roots of a host, or with a missing one", async () => {
    using host = nodeHost();
    const { exitCode, stderr } = await host.wasp("install", "--chroot", host.root);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining("--fsroot and --chroot exclude one another"),
    ]);
    const missing = await wasp(["install", "--chroot", "/nowhere"]);
    expect([missing.exitCode, missing.stderr]).toEqual([
      1,
      expect.stringContaining("chroot /nowhere: No such file"),
    ]);
  });

  test("while another process installs", async () => {
    using host = nodeHost();
    const lock = Bun.spawn(["flock", host.root, "cat"], { stdin: "pipe", stdout: "pipe" });
    lock.stdin.write("locked\n");
    lock.stdin.flush();
    await lock.stdout.getReader().read();
    const { exitCode, stderr } = await host.wasp("install");
    lock.stdin.end();
    await lock.exited;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("another wasp install or wasp uninstall holds the lock");
    expect((await host.wasp("install")).exitCode).toBe(0);
  });

  test.each([
    [["--dry-rum"], "unknown flag --dry-rum: did you mean --dry-run?"],
    [
      ["--only", "bin"],
      '--only: "bin" is not one of binary, hook, system-slice, swap, kubelet, cri-o, containerd',
    ],
    [["--only", "hook", "--skip", "hook"], "--only and --skip leave no part"],
    [["--eviction-soft", "lots"], '--eviction-soft: "lots" is not Auto, Off, a quantity'],
    [["--root", "/"], "--root: / is the running host's root"],
    [["--root", "/mnt", "--fsroot", "/host"], "--root and --fsroot exclude one another"],
    [["now"], "unexpected argument now"],
  ])("with the arguments %j", async (flags, complaint) => {
    const run = Bun.spawn([WASP, "install", ...flags], {
      cwd: ROOT,
      stdout: "pipe",
      stderr: "pipe",
      env: {},
    });
    expect(await run.exited).toBe(2);
    expect((await run.stderr.text()).replaceAll("\n", " ")).toContain(complaint);
  });
});
