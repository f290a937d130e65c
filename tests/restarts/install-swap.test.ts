/** Swap that wasp install makes on a real node: on each kind of target, again after a start, and gone without a trace. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { WASP } from "../node/binary.ts";
import { bootGuest } from "../vm/guest.ts";
import { guestImage } from "../vm/image.ts";
import { secondDisk as DISK } from "../vm/machine.ts";

setDefaultTimeout(300_000);

const MiB = 1024 ** 2;
const SWAP_FILE = "/var/lib/wasp/swapfile";

const guest = await bootGuest(await guestImage(), { isLasting: true, secondDiskMiB: 128 });
// Pushed by hand: the binary is not among the parts that these tests install.
await guest.push(WASP, "/usr/local/bin/wasp");
const listing = await listFiles();

afterAll(() => guest.stop());

const install = (...flags: string[]) => guest.run(`wasp install --only swap ${flags.join(" ")}`);
const uninstall = () => guest.run("wasp uninstall");

/** What is swapped to besides the guest's own swap file, with size and priority. */
async function swaps(): Promise<readonly string[]> {
  const areas = await guest.must("swapon --noheadings --bytes --show=NAME,SIZE,PRIO");
  const lines = areas
    .trim()
    .split("\n")
    .map((line) => line.replace(/\s+/g, " "));
  return lines.filter((line) => !line.startsWith("/swapfile "));
}

/** All that wasp could leave behind: files, enabled units, the modes of folders. */
function listFiles(): Promise<string> {
  return guest.must(
    "find /etc /var/lib /usr/local -xdev -not -path '/var/lib/systemd/*' -not -name '*cache*' -printf '%p %y %m %l\\n' | sort",
  );
}

async function expectGreen(): Promise<void> {
  expect(await guest.must("systemctl list-units --failed --no-legend")).toBe("");
  expect(await guest.must("systemctl is-active wasp-swap.service swap.target")).toBe("active\nactive\n");
}

async function expectGone(): Promise<void> {
  expect(await uninstall()).toMatchObject({ code: 0, stderr: "" });
  expect(await swaps()).toEqual([]);
  expect(await listFiles()).toBe(listing);
  expect(await guest.must("systemctl list-units --all --no-legend '*wasp*'")).toBe("");
}

test("a file is swapped to at once, once, and removed", async () => {
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
  await expectGone();
});

test("a file of others is left as it is", async () => {
  const before = await guest.must("echo mine >/srv/swap; stat -c %Y%s /srv/swap");
  const { code, stderr } = await install("--swap-file /srv/swap --swap-size 64Mi");
  expect(code).toBe(1);
  expect(stderr).toContain("/srv/swap is there already, and wasp did not make it");
  expect((await install("--swap-file /dev/shm/swap --swap-size 64Mi")).stderr).toContain(
    "is tmpfs, which can hold no swap",
  );
  expect((await install("--swap-file /srv/big --swap-size 1Ti")).stderr).toContain("1 TiB do not fit");
  expect(await guest.must("stat -c %Y%s /srv/swap; rm /srv/swap")).toBe(before);
  expect(await listFiles()).toBe(listing);
});

test("a file comes back when the node starts again", async () => {
  await install("--overcommit 105%");
  const before = await swaps();
  expect(before).toHaveLength(0);
  // The guest has swap enough of its own where no place is chosen.
  await install("--overcommit 105%", "--swap-file", SWAP_FILE);
  const made = await swaps();
  expect(made).toHaveLength(1);
  await guest.reboot();
  expect(await swaps()).toEqual(made);
  await expectGreen();
  expect((await install()).stdout).toContain("nothing to do: swap: all as planned");
  await expectGone();
});

test("zram comes back when the node starts again, and is given back", async () => {
  const { code, stderr, stdout } = await install("--zram --swap-size 128Mi");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("zram keeps in memory what is swapped out");
  const area = /^\/dev\/zram\d 134213632 100$/;
  expect(await swaps()).toEqual([expect.stringMatching(area)]);
  await guest.reboot();
  expect(await swaps()).toEqual([expect.stringMatching(area)]);
  await expectGreen();
  const devices = await guest.must("ls /sys/block | grep -c zram");
  await expectGone();
  expect(Number(await guest.must("ls /sys/block | grep -c zram || :"))).toBe(Number(devices) - 1);
});

test("a disk that holds something, or is in use, is not touched", async () => {
  await guest.must(`mke2fs -q ${DISK}`);
  const digest = await guest.must(`sha256sum <${DISK}`);
  for (const flags of ["", "--encrypt"]) {
    const { code, stderr } = await install(`--swap-device ${DISK}`, flags);
    expect(code).toBe(1);
    expect(stderr).toContain(`the device ${DISK} holds ext2: choose a blank one`);
  }
  await guest.must(`mount ${DISK} /mnt`);
  expect((await install(`--swap-device ${DISK}`)).stderr).toContain("is in use, as /mnt");
  await guest.must("umount /mnt");
  expect((await install("--swap-device /dev/nvme0n1")).stderr).toContain("is in use, as /");
  await guest.must(`wipefs --all --quiet ${DISK}`);
  expect((await install(`--swap-device ${DISK}`)).stderr).toContain("its first MiB is not zeros");
  expect(digest).not.toBe(await guest.must(`sha256sum <${DISK}`));
  await guest.must(`dd if=/dev/zero of=${DISK} bs=1M count=128 status=none`);
});

test("a disk is swapped to by the name that stays, comes back, and is blank again", async () => {
  const { code, stderr } = await install("--swap-device /dev/vda --swap-size 100Mi --only system-slice");
  expect([code, stderr]).toEqual([0, ""]);
  expect(await swaps()).toEqual([expect.stringMatching(/^\/dev\/vda 134213632 -\d$/)]);
  expect(await guest.must("cat /etc/systemd/system/dev-disk-*.swap")).toContain(`What=${DISK}\n`);
  await guest.reboot();
  expect(await swaps()).toEqual([expect.stringMatching(/^\/dev\/vda 134213632 -\d$/)]);
  // Told to systemd since the start: before udev was there, the disk had no such name.
  const told = "/run/systemd/system.control/system.slice.d/50-IODeviceLatencyTargetUSec.conf";
  expect(await guest.must(`cat ${told}`)).toContain(`\nIODeviceLatencyTargetSec=${DISK} 50ms\n`);
  await expectGreen();
  expect((await install()).stdout).toContain("nothing to do: swap: all as planned");
  await expectGone();
  expect(await guest.must(`wipefs --noheadings ${DISK}`)).toBe("");
});

test("an encrypted disk comes back with another key", async () => {
  const { code, stderr } = await install("--swap-device", DISK, "--encrypt");
  expect([code, stderr]).toEqual([0, ""]);
  const area = [expect.stringMatching(/^\/dev\/dm-0 117436416 -\d$/)];
  expect(await swaps()).toEqual(area);
  const key = () => guest.must("dmsetup table --showkeys wasp-swap | cut -d' ' -f5");
  const first = await key();
  expect(first).toMatch(/^[0-9a-f]{128}$/m);
  // What marks it as wasp's is all that can be read of it.
  expect(await guest.must(`blkid -p -o value -s TYPE -s LABEL ${DISK} | sort`)).toBe(
    "crypto_LUKS\nwasp-swap\n",
  );
  await guest.reboot();
  expect(await swaps()).toEqual(area);
  expect(await key()).not.toBe(first);
  await expectGreen();
  expect((await install()).stdout).toContain("nothing to do: swap: all as planned");
  await expectGone();
  expect(await guest.must(`ls /dev/mapper; wipefs --noheadings ${DISK}`)).toBe("control\n");
});

test("is made by the next start where the node's power is cut in the middle", async () => {
  // The script gets as far as this, with the file at its other name, and no further.
  const stuck = "#!/bin/sh\\ntouch /run/stuck/here\\nexec sleep 600\\n";
  await guest.must(`mkdir /run/stuck; printf '${stuck}' >/run/stuck/mkswap; chmod +x /run/stuck/mkswap`);
  const command = `wasp install --only swap --swap-file ${SWAP_FILE} --swap-size 64Mi`;
  await guest.must(`PATH=/run/stuck:$PATH setsid ${command} >/dev/null 2>&1 </dev/null &
    until [ -e /run/stuck/here ]; do sleep 0.1; done`);
  expect(await guest.must("ls /var/lib/wasp")).toBe("install.json\nswapfile.new\n");
  await guest.cutPower();
  expect(await swaps()).toEqual([expect.stringContaining(`${SWAP_FILE} ${64 * MiB - 4096} `)]);
  expect(await guest.must("ls /var/lib/wasp")).toBe("install.json\nswapfile\n");
  await expectGreen();
  const again = await install("--swap-file", SWAP_FILE, "--swap-size 64Mi");
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect((await install()).stdout).toContain("nothing to do: swap: all as planned");
  await expectGone();
});
