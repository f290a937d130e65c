/** Swap from wasp install on a real node: each kind of target, the next boot, and removal without a trace. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { WASP, wasp } from "../node/binary.ts";
import { patience } from "../patience.ts";
import { secondDisk as DISK } from "./disks.ts";
import { Guest } from "./guest.ts";
import { guestImage } from "./image.ts";
import { provision } from "./machine-config.ts";
import { podSlices } from "./pods.ts";

// Longer than a restart may take: a test that ends during one would leave it to the next test.
setDefaultTimeout(patience(2400));

const MiB = 1024 ** 2;
const SWAP_FILE = "/var/lib/wasp/swapfile";

const guest = await Guest.start(await guestImage(), { isLasting: true, secondDiskMiB: 128 });
// These tests install parts other than the binary.
await guest.push(WASP, "/usr/local/bin/wasp");
const listing = await listFiles();

afterAll(() => guest.stop());

const install = (...flags: string[]) => guest.run(`wasp install --only swap ${flags.join(" ")}`);
const uninstall = () => guest.run("wasp uninstall");

/** Reads the active swap areas except for the guest's own, with size and priority. */
async function swaps(): Promise<readonly string[]> {
  const areas = await guest.must("swapon --noheadings --bytes --show=NAME,SIZE,PRIO");
  const lines = areas
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));
  return lines.filter((line) => !line.startsWith("/swapfile "));
}

/** Lists everything that wasp could leave behind: files, enabled units, modes of folders. */
function listFiles(): Promise<string> {
  return guest.must(
    "find /etc /var/lib /usr/local /srv -xdev -not -path '/var/lib/systemd/*' -not -name '*cache*' -printf '%p %y %m %l\\n' | sort",
  );
}

async function expectGreen(): Promise<void> {
  const states =
    "systemctl list-units --failed --no-legend; systemctl is-active wasp-swap.service swap.target";
  expect(await guest.must(states)).toBe("active\nactive\n");
}

async function expectGone(): Promise<void> {
  expect(await uninstall()).toMatchObject({ code: 0, stderr: "" });
  expect(await swaps()).toEqual([]);
  expect(await listFiles()).toBe(listing);
  expect(await guest.must("systemctl list-units --all --no-legend '*wasp*'")).toBe("");
}

describe("a file", () => {
  test("is swapped to at once, and a repetition changes nothing", async () => {
    const first = await install("--swap-file", SWAP_FILE, "--swap-size 64Mi --swap-priority 7");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain(
      "the kernel fills the swap of the highest priority first: /var/lib/wasp/swapfile (7)",
    );
    expect(await swaps()).toEqual([`${SWAP_FILE} ${64 * MiB - 4096} 7`]);
    await expectGreen();
    for (const flags of [["--swap-size 64Mi --swap-priority 7"], []]) {
      const again = await install(...flags);
      expect(again.stdout).toContain("nothing to do: swap: all as planned");
    }
  });

  test("stays while a container's memory and swap exceed its memory limit", async () => {
    const id = "171".repeat(21).padEnd(64, "0");
    const limits = "--property MemoryMax=24M --property MemoryHigh=infinity";
    const scope = `/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/${podSlices.Burstable}/crio-${id}.scope`;
    await guest.must(`systemd-run --quiet --scope --unit crio-${id} --slice ${podSlices.Burstable} ${limits} \
        sh -c 'head -c 40M /dev/zero | tail | sleep infinity' >/dev/null 2>&1 </dev/null &
      until [ "$(cat ${scope}/memory.swap.current)" -gt 10000000 ]; do sleep 0.1; done`);
    const { code, stderr } = await uninstall();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /container 1711711711711 of pod 6ba7b810-9dad-11d1-80b4-00c04fd430c8 would have \d+ MiB with a memory.max of 24 MiB/,
    );
    expect(await swaps()).toHaveLength(1);
    await guest.must(`systemctl stop crio-${id}.scope`);
    await expectGone();
  });

  test("of others is not touched", async () => {
    const before = await guest.must("echo mine >/srv/swap; stat -c %Y%s /srv/swap");
    const { code, stderr } = await install("--swap-file /srv/swap --swap-size 64Mi");
    expect(code).toBe(1);
    expect(stderr).toContain("/srv/swap exists already and was not made by wasp");
    expect((await install("--swap-file /srv/big --swap-size 1Ti")).stderr).toContain("1 TiB do not fit");
    expect(await guest.must("stat -c %Y%s /srv/swap; rm /srv/swap")).toBe(before);
    expect(await listFiles()).toBe(listing);
  });

  test("is not made if there is enough swap and no target is chosen", async () => {
    expect((await install("--overcommit 105%")).stdout).toContain(
      "there is enough swap already, not set up by wasp",
    );
    expect(await listFiles()).toBe(listing);
  });
});

describe("a file on another file system", () => {
  const mounts: Record<string, string> = {
    btrfs:
      "truncate -s 300M /run/img; mkfs.btrfs -q /run/img; mount -o loop,compress-force=zstd /run/img /mnt; chattr +c /mnt",
    xfs: "truncate -s 320M /run/img; mkfs.xfs -q /run/img; mount -o loop /run/img /mnt",
    "several disks":
      "truncate -s 150M /run/img /run/img2; mkfs.btrfs -q $(losetup --find --show /run/img) $(losetup --find --show /run/img2); mount $(losetup -nO NAME -j /run/img) /mnt",
    overlay:
      "mkdir -p /run/ov/l /run/ov/u /run/ov/w; mount -t overlay -o lowerdir=/run/ov/l,upperdir=/run/ov/u,workdir=/run/ov/w overlay /mnt",
    tmpfs: "mount -t tmpfs tmpfs /mnt",
    "read-only": "mount --bind /srv /mnt; mount -o remount,bind,ro /mnt",
  };
  const mount = (kind: string) => guest.must(`set -e; ${mounts[kind]}`);
  const unmount = () => guest.must("umount /mnt; losetup --detach-all; rm -rf /run/img /run/img2 /run/ov");

  test.each(["btrfs", "xfs"])("is swapped to on %s, and removed with its folders", async (kind) => {
    await mount(kind);
    const path = "/mnt/deep/down/swap";
    expect(await install("--swap-file", path, "--swap-size 64Mi")).toMatchObject({ code: 0, stderr: "" });
    expect(await swaps()).toEqual([expect.stringContaining(`${path} ${64 * MiB - 4096} `)]);
    await expectGreen();
    await expectGone();
    expect(await guest.must("ls -A /mnt")).toBe("");
    await unmount();
  });

  test.each([
    ["overlay", "is overlay, which does not support swap files"],
    ["tmpfs", "is tmpfs, which does not support swap files"],
    ["several disks", "is on 2 devices, and the kernel supports swap files only on a single one"],
    ["read-only", "is read-only"],
  ])("is refused on %s, and nothing is touched", async (kind, why) => {
    await mount(kind);
    const { code, stderr } = await install("--swap-file /mnt/deep/swap --swap-size 64Mi");
    expect(code).toBe(1);
    expect(stderr).toContain(why);
    expect(await guest.must("ls -A /mnt")).toBe("");
    await unmount();
    expect(await listFiles()).toBe(listing);
  });
});

test("zram returns at the next boot, and its device is removed", async () => {
  const { code, stderr, stdout } = await install("--zram --swap-size 128Mi");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("zram keeps swapped-out memory in memory");
  const area = /^\/dev\/zram\d 134213632 100$/;
  expect(await swaps()).toEqual([expect.stringMatching(area)]);
  await guest.reboot();
  expect(await swaps()).toEqual([expect.stringMatching(area)]);
  await expectGreen();
  const devices = await guest.must("ls /sys/block | grep -c zram");
  await expectGone();
  expect(Number(await guest.must("ls /sys/block | grep -c zram || :"))).toBe(Number(devices) - 1);
});

describe("a disk", () => {
  test("that has data, or is in use, is not touched", async () => {
    await guest.must(`mke2fs -q ${DISK}`);
    const digest = await guest.must(`sha256sum <${DISK}`);
    for (const flags of ["", "--encrypt"]) {
      const { code, stderr } = await install(`--swap-device ${DISK}`, flags);
      expect(code).toBe(1);
      expect(stderr).toContain(`the device ${DISK} holds ext2: choose a blank one`);
    }
    expect(await guest.must(`sha256sum <${DISK}`)).toBe(digest);
    await guest.must(`mount ${DISK} /mnt`);
    expect((await install(`--swap-device ${DISK}`)).stderr).toContain("is in use, as /mnt");
    await guest.must("umount /mnt");
    expect((await install("--swap-device /dev/sda")).stderr).toContain("is in use, as /");
    await guest.must(`wipefs --all --quiet ${DISK}`);
    expect((await install(`--swap-device ${DISK}`)).stderr).toContain("its first MiB is not zeros");
    await guest.must(`dd if=/dev/zero of=${DISK} bs=1M count=128 status=none`);
  });

  test("is swapped to by its persistent name, also at the next boot, and is blank after removal", async () => {
    const { code, stderr } = await install("--swap-device /dev/vda --swap-size 100Mi --only system-slice");
    expect([code, stderr]).toEqual([0, ""]);
    expect(await swaps()).toEqual([expect.stringMatching(/^\/dev\/vda 134213632 -\d$/)]);
    expect(await guest.must("cat /etc/systemd/system/dev-disk-*.swap")).toContain(`What=${DISK}\n`);
    await guest.reboot();
    expect(await swaps()).toEqual([expect.stringMatching(/^\/dev\/vda 134213632 -\d$/)]);
    // Set since the boot: before udev ran, the disk had no such name.
    const dropIn = "/run/systemd/system.control/system.slice.d/50-IODeviceLatencyTargetUSec.conf";
    expect(await guest.must(`cat ${dropIn}`)).toContain(`\nIODeviceLatencyTargetSec=${DISK} 50ms\n`);
    await expectGreen();
    expect((await install()).stdout).toContain("nothing to do: swap: all as planned");
    await expectGone();
    expect(await guest.must(`wipefs --noheadings ${DISK}`)).toBe("");
  });

  test("that is encrypted returns with another key at the next boot", async () => {
    const { code, stderr } = await install("--swap-device", DISK, "--encrypt");
    expect([code, stderr]).toEqual([0, ""]);
    const area = [expect.stringMatching(/^\/dev\/dm-0 117436416 -\d$/)];
    expect(await swaps()).toEqual(area);
    const key = () => guest.must("dmsetup table --showkeys wasp-swap | cut -d' ' -f5");
    const first = await key();
    expect(first).toMatch(/^[0-9a-f]{128}$/m);
    // Only wasp's label is readable.
    expect(await guest.must(`blkid -p -o value -s TYPE -s LABEL ${DISK} | sort`)).toBe(
      "crypto_LUKS\nwasp-swap\n",
    );
    await guest.reboot();
    expect(await swaps()).toEqual(area);
    expect(await key()).not.toBe(first);
    await expectGreen();
    // Without the guest's own swap, every check of swap passes.
    await guest.must("swapoff /swapfile");
    const { stdout } = await guest.run("wasp install --check");
    expect(stdout.match(/^\w+ +swap\S*/gm)?.map((line) => line.split(/ +/).join(" "))).toEqual([
      "ok swap-controller",
      "ok swap",
      "ok swap-size",
      "ok swap-after-boot",
      "ok swap-disk",
      "ok swap-encryption",
      "ok swappiness",
    ]);
    await guest.must("swapon /swapfile");
    expect((await install()).stdout).toContain("nothing to do: swap: all as planned");
    await expectGone();
    expect(await guest.must(`ls /dev/mapper; wipefs --noheadings ${DISK}`)).toBe("control\n");
  });
});

// Last, because only the operator removes what it has made.
test("a node that OpenShift's operator has configured swaps after its boot, except for system services", async () => {
  const { exitCode, stdout } = await wasp(["install", "--print", "openshift", "--overcommit", "105%"]);
  expect(exitCode).toBe(0);
  await provision(guest, stdout);
  await guest.reboot();
  const memoryKiB = Number(await guest.must("awk '/MemTotal/ { print $2 }' /proc/meminfo"));
  const bytes = Math.floor((memoryKiB * 5) / 100 / 1024) * MiB;
  const made = [expect.stringContaining(`${SWAP_FILE} ${bytes - 4096} `)];
  expect(await swaps()).toEqual(made);
  expect(await guest.must("cat /sys/fs/cgroup/system.slice/memory.swap.max")).toBe("0\n");
  await expectGreen();
  // Set since the boot, so that it takes effect on a kernel with io.latency.
  await guest.must("grep --quiet IODeviceLatency /run/systemd/system.control/system.slice.d/*");
  expect(await guest.must("systemctl show system.slice --property=IODeviceLatencyTargetUSec")).toContain(
    "/var/lib/wasp 50ms",
  );
  // The sequence of the second boot.
  const file = () => guest.must(`stat --format '%i %W' ${SWAP_FILE}`);
  const first = await file();
  await guest.must("systemctl stop wasp-swap.service");
  expect(await swaps()).toEqual([]);
  await guest.must("systemctl start var-lib-wasp-swapfile.swap");
  expect(await swaps()).toEqual(made);
  expect(await file()).toBe(first);
});
