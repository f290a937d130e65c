// The host's own commands are stood in for: one that turns swap on or off has /proc/swaps say so.
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { wasp } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";
import { containerIdOf, podPath, podUidOf } from "../node/kubepods-tree.ts";

const NO_SWAP = "Filename				Type		Size		Used		Priority\n";
const SWAP = (used: number) => `${NO_SWAP}/var/lib/wasp/swapfile file 8388604 ${used} -2\n`;
const SCRIPT = "/etc/wasp/swap.sh";
const UNIT = "var-lib-wasp-swapfile.swap";

function hostWithDisk({ type = "ext4", swapSize = "32M" } = {}): InstallHost {
  const host = new InstallHost();
  host.write("/proc/swaps", NO_SWAP);
  host.write("/proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n");
  for (const program of ["mkswap", "blkid", "fallocate"]) host.write(`/usr/sbin/${program}`, "", 0o755);
  const findmnt = `{"filesystems":[{"fstype":"${type}","options":"rw","size":100000000000,"avail":90000000000,"uuid":null}]}`;
  const wipefs = `{"signatures":[{"type":"swap","label":"wasp-swap"}]}`;
  host.onCommand(`case "$*" in
findmnt*) echo '${findmnt}' ;;
wipefs*) echo '${wipefs}' ;;
*swap.sh\\ make) truncate -s ${swapSize} ${host.root}/var/lib/wasp/swapfile ;;
*\\ start\\ *) echo '${SWAP(1000)}' >${host.root}/proc/swaps ;;
*swap.sh\\ remove) rm ${host.root}/var/lib/wasp/swapfile; echo '${NO_SWAP}' >${host.root}/proc/swaps ;;
esac`);
  return host;
}

const LAYOUT = { driver: "systemd", cgroupRoot: [] } as const;

/** Puts a cgroup into a host, with what is used of memory and of swap at each level, and a limit of its own. */
function addCgroup(
  host: InstallHost,
  path: string,
  { max, currentBytes, swapBytes }: { max: string; currentBytes: number; swapBytes: number },
): void {
  for (let level = path; level !== ""; level = level.slice(0, level.lastIndexOf("/"))) {
    const write = (file: string, text: string) => host.write(`/sys/fs/cgroup${level}/${file}`, `${text}\n`);
    write("memory.current", `${currentBytes}`);
    write("memory.swap.current", `${swapBytes}`);
    write("memory.max", level === path ? max : "max");
    write("memory.high", "max");
    write("memory.stat", "anon 1");
  }
}

const acting = (host: InstallHost) => host.ran.filter((line) => !/^(findmnt|wipefs)/.test(line));

describe("wasp install of swap", () => {
  const flags = ["--only", "swap", "--swap-size", "32Mi"];

  test("makes it, turns it on, and says how large it is and why", async () => {
    using host = hostWithDisk({ swapSize: "8G" });
    const { exitCode, stdout, stderr } = await host.wasp("install", "--only=swap", "--overcommit=150%");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("16 GiB of memory * (150% / 100% - 1) = 8 GiB of swap");
    expect(stdout).toContain("read back and as planned");
    expect(acting(host)).toEqual([
      "systemctl daemon-reload",
      `/bin/sh ${SCRIPT} make`,
      `systemctl start ${UNIT}`,
    ]);
    expect(host.read(`/etc/systemd/system/${UNIT}`)).toContain("What=/var/lib/wasp/swapfile");
  });

  test.each([[flags], [["--only", "swap"]]])("has nothing to do again with %j", async (again) => {
    using host = hostWithDisk();
    await host.wasp("install", ...flags);
    const before = host.listing();
    expect(before[`/etc/systemd/system/swap.target.wants/${UNIT}`]).toBe(`-> /etc/systemd/system/${UNIT}`);
    const { exitCode, stdout } = await host.wasp("install", ...again);
    expect([exitCode, stdout.trimEnd().split("\n").at(-1)]).toEqual([
      0,
      "nothing to do: swap: all as planned",
    ]);
    expect(host.listing()).toEqual(before);
    expect(acting(host)).toHaveLength(3);
  });

  test("is refused, and touches nothing, where it cannot be", async () => {
    using host = hostWithDisk({ type: "overlay" });
    const before = host.listing();
    const { exitCode, stderr } = await host.wasp("install", ...flags);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("is overlay, which can hold no swap file");
    expect(stderr).toContain("nothing was changed");
    expect(host.listing()).toEqual(before);
    expect(acting(host)).toEqual([]);
  });

  test("is refused where the kubelet would not start again, unless somebody insists", async () => {
    using host = hostWithDisk();
    host.write("/var/lib/kubelet/config.yaml", "kind: KubeletConfiguration\n");
    host.addProcess(700, "kubelet", ["/usr/bin/kubelet", "--config=/var/lib/kubelet/config.yaml"]);
    const before = host.listing();
    const { exitCode, stderr } = await host.wasp(
      "install",
      "--swap-size=32Mi",
      "--skip=binary",
      "--skip=hook",
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "set failSwapOn: false in /var/lib/kubelet/config.yaml, or use --ignore-kubelet",
    );
    expect(host.listing()).toEqual(before);
    expect(acting(host)).toEqual([]);
    const insisting = await host.wasp("install", ...flags, "--ignore-kubelet");
    expect(insisting).toMatchObject({ exitCode: 0, stderr: "" });
    expect(insisting.stdout).toContain("note: the kubelet does not start where swap is on: set failSwapOn");
    expect((await host.wasp("install", ...flags)).stdout).toContain("nothing to do: swap");
  });

  test("is set up with the kubelet's drop-in, which is heeded afterwards", async () => {
    using host = hostWithDisk();
    host.addProcess(700, "kubelet", ["/usr/bin/kubelet", "--config-dir=/etc/kubelet.d"]);
    const both = await host.wasp("install", "--swap-size=32Mi", "--only=kubelet", "--only=swap");
    expect(both).toMatchObject({ exitCode: 0, stderr: "" });
    await host.wasp("uninstall", "--only=swap");
    expect(await host.wasp("install", ...flags)).toMatchObject({ exitCode: 0, stderr: "" });
  });

  // Debian has wipefs where a plain su does not look, and findmnt where it does.
  test("finds the system's own programs under a plain su", async () => {
    const file = `${mkdtempSync(`${tmpdir()}/wasp-swap-`)}/swapfile`;
    writeFileSync(file, "not wasp's");
    const argv = ["install", "--dry-run", "--only=swap", "--swap-size=4Mi", "--swap-file", file];
    const { exitCode, stderr } = await wasp(argv, "ignore", { PATH: "/usr/bin:/bin" });
    rmSync(dirname(file), { recursive: true });
    expect(stderr).not.toContain("wipefs");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`${file} is there`)]);
  });

  test("is left to an image's first start", async () => {
    using host = hostWithDisk();
    const { exitCode, stdout } = await host.waspImage("install", "--only=swap", "--overcommit=150%");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("note: the swap is made when a node starts from the image");
    expect(host.read(SCRIPT)).toContain("# Size: 150% overcommit");
    expect(host.ran).toEqual([]);
    expect((await host.waspImage("install", "--only=swap")).stdout).toContain("nothing to do");
  });

  test("is undone on the node that started from an image as on any other", async () => {
    using host = hostWithDisk();
    await host.waspImage("install", "--only=swap", "--swap-size=32Mi");
    host.write("/proc/swaps", SWAP(1000));
    host.write("/var/lib/wasp/swapfile", "");
    expect((await host.wasp("uninstall")).exitCode).toBe(0);
    expect(acting(host)).toEqual([`/bin/sh ${SCRIPT} remove`, "systemctl daemon-reload"]);
    expect(Object.keys(host.listing())).not.toContain("/var/lib/wasp");
  });

  test("is gone from an image that never started", async () => {
    using host = hostWithDisk();
    const before = host.listing();
    await host.waspImage("install", "--only=swap", "--swap-size=32Mi");
    expect((await host.waspImage("uninstall")).exitCode).toBe(0);
    expect([host.listing(), host.ran]).toEqual([before, []]);
  });

  test("has the disk's latency protected by the name that it has", async () => {
    using host = hostWithDisk();
    await host.wasp("install", ...flags, "--only", "system-slice");
    expect(host.read("/etc/systemd/system/system.slice.d/50-wasp.conf")).toContain("MemorySwapMax=0");
    const { stdout } = await host.wasp("install", ...flags, "--only", "system-slice");
    expect(stdout).toContain("nothing to do");
  });
});

describe("wasp uninstall of swap", () => {
  test("turns it off and removes it first, and leaves nothing", async () => {
    using host = hostWithDisk();
    const before = host.listing();
    await host.wasp("install", "--only", "swap", "--swap-size", "32Mi");
    const { exitCode, stderr } = await host.wasp("uninstall");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(acting(host).slice(3)).toEqual([`/bin/sh ${SCRIPT} remove`, "systemctl daemon-reload"]);
    const after = host.listing();
    delete before["/proc/swaps"];
    delete after["/proc/swaps"];
    expect(after).toEqual(before);
  });

  test("takes the folders away that were made for a file", async () => {
    using host = hostWithDisk();
    host.makeFolder("/srv");
    host.onCommand(`case "$*" in
findmnt*) echo '{"filesystems":[{"fstype":"xfs","options":"rw","size":9e9,"avail":9e9,"uuid":null}]}' ;;
wipefs*) echo '{"signatures":[{"type":"swap","label":"wasp-swap"}]}' ;;
*swap.sh\\ make) mkdir -p ${host.root}/srv/a/b && truncate -s 32M ${host.root}/srv/a/b/swap ;;
*\\ start\\ *) echo '${NO_SWAP}/srv/a/b/swap file 32764 0 -2' >${host.root}/proc/swaps ;;
*swap.sh\\ remove) rm ${host.root}/srv/a/b/swap; echo '${NO_SWAP}' >${host.root}/proc/swaps ;;
esac`);
    const before = host.listing();
    const made = await host.wasp("install", "--only=swap", "--swap-size=32Mi", "--swap-file=/srv/a/b/swap");
    expect(made).toMatchObject({ exitCode: 0, stderr: "" });
    expect((await host.wasp("uninstall")).stdout).toContain("removed /srv/a/b\nremoved /srv/a\n");
    const after = host.listing();
    delete before["/proc/swaps"];
    delete after["/proc/swaps"];
    expect(after).toEqual(before);
  });

  test("is refused before anything is undone where memory cannot take what is swapped out", async () => {
    using host = hostWithDisk();
    await host.wasp("install", "--only", "swap", "--swap-size", "32Mi");
    host.write("/proc/swaps", SWAP(8_000_000));
    const before = host.listing();
    const { exitCode, stderr } = await host.wasp("uninstall");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "the swap on /var/lib/wasp/swapfile cannot be turned off: 7.6 GiB are swapped out and 8 GiB of memory are available",
    );
    expect(host.listing()).toEqual(before);
    expect((await host.wasp("uninstall", "--skip", "swap")).stdout).toContain("nothing to do");
  });

  test("is refused where a container cannot take what is swapped out of it", async () => {
    using host = hostWithDisk();
    await host.wasp("install", "--only", "swap", "--swap-size", "32Mi");
    host.write("/proc/swaps", SWAP(100_000));
    const container = `${podPath(LAYOUT, "Burstable", podUidOf(1))}/crio-${containerIdOf(7)}.scope`;
    addCgroup(host, container, { max: "41943040", currentBytes: 30_000_000, swapBytes: 20_000_000 });
    addCgroup(host, "/system.slice/ssh.service", { max: "max", currentBytes: 1e9, swapBytes: 1e9 });
    const { exitCode, stderr } = await host.wasp("uninstall");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `container ${containerIdOf(7).slice(0, 13)} of pod ${podUidOf(1)} would have 48 MiB with a memory.max of 40 MiB`,
    );
    // A third of it can be dropped, or has come back already.
    const stat =
      "anon 1\nactive_file 3000000\ninactive_file 5000000\nslab_reclaimable 1000000\nswapcached 1000000\n";
    host.write(`/sys/fs/cgroup${container}/memory.stat`, stat);
    expect((await host.wasp("uninstall", "--dry-run")).exitCode).toBe(1);
    host.write(
      `/sys/fs/cgroup${container}/memory.stat`,
      `${stat}inactive_anon 0\n`.replace("5000000", "9000000"),
    );
    expect((await host.wasp("uninstall", "--dry-run")).exitCode).toBe(0);
    host.write(`/sys/fs/cgroup${container}/memory.high`, "37000000");
    expect((await host.wasp("uninstall", "--dry-run")).stderr).toContain("with a memory.high of 35 MiB");
  });
});
