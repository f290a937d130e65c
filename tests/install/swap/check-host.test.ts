import { describe } from "bun:test";
import { type Breakage, testBreakages } from "../check/checked-host.ts";

const UNIT = "/etc/systemd/system/dev-mapper-swap.swap";
const FILE_SWAP = "/var/lib/wasp/swapfile file 1048572 0 -2";
const ZRAM_SWAP = "/dev/zram0 partition 1048572 0 100";

const BREAKAGES: readonly Breakage[] = [
  ["swap", "swapoff", (host) => host.setSwaps(), "error", "no swap is on"],
  [
    "swap-after-boot",
    "a unit that is not enabled",
    (host) => host.remove("/etc/systemd/system/swap.target.wants"),
    "warning",
    "nothing turns /dev/dm-0 on",
  ],
  [
    "swap-after-boot",
    "a unit that a generator made",
    (host) => {
      host.remove(UNIT);
      host.remove("/etc/systemd/system/swap.target.wants");
      host.write("/run/systemd/generator/dev-dm0.swap", "[Swap]\nWhat=/dev/dm-0\n");
      host.link("/run/systemd/generator/swap.target.requires/dev-dm0.swap", "../dev-dm0.swap");
    },
    "ok",
    "",
  ],
  [
    "swap-after-boot",
    "zram that wasp's service makes",
    (host) => {
      host.addBlockDevice("virtual/zram0", "252:0");
      host.setSwaps(ZRAM_SWAP);
      host.link("/etc/systemd/system/swap.target.wants/wasp-swap.service", "../wasp-swap.service");
    },
    "ok",
    "",
  ],
  [
    "swap-after-boot",
    "the unit is gone",
    (host) => host.remove(UNIT),
    "warning",
    "nothing turns /dev/dm-0 on",
  ],
  [
    "swap-after-boot",
    "fstab instead of the unit",
    (host) => {
      host.remove(UNIT);
      host.link("/dev/disk/by-uuid/12-34", "../../dm-0");
      host.write("/etc/fstab", "# swap\nUUID=12-34 none swap sw 0 0\n");
    },
    "ok",
    "",
  ],
  [
    "swap-after-boot",
    "noauto in fstab",
    (host) => {
      host.remove(UNIT);
      host.write("/etc/fstab", "/dev/dm-0 none swap sw,noauto 0 0\n");
    },
    "warning",
    "nothing turns",
  ],
  ["swap-disk", "a file on the root", (host) => host.setSwaps(FILE_SWAP), "note", "swapfile is on vda"],
  [
    "swap-encryption",
    "a file on the root",
    (host) => host.setSwaps(FILE_SWAP),
    "warning",
    "/var/lib/wasp/swapfile",
  ],
  [
    "swap-disk",
    "a file on a disk mounted below",
    (host) => {
      host.setMounts("30 24 254:16 / /var/lib/wasp rw - xfs /dev/vdb rw");
      host.setSwaps(FILE_SWAP);
    },
    "ok",
    "",
  ],
  [
    "swap-disk",
    "a file on btrfs, whose number is no device's",
    (host) => {
      host.write("/proc/1/mountinfo", "24 1 0:30 /root / rw - btrfs /dev/vda1 rw,subvol=/root\n");
      host.setSwaps(FILE_SWAP);
    },
    "note",
    "swapfile is on vda",
  ],
  [
    "swap-disk",
    "a root that is an overlay over a disk",
    (host) => {
      host.write(
        "/proc/1/mountinfo",
        "24 1 0:30 / / ro - overlay composefs ro\n25 24 254:1 / /sysroot ro - xfs /dev/vda1 ro\n",
      );
      host.setSwaps("/dev/vda1 partition 1048572 0 -2");
    },
    "note",
    "/dev/vda1 is on vda",
  ],
  [
    "swap-encryption",
    "a file in a loop device",
    (host) => {
      host.addBlockDevice("virtual/loop0", "7:0", { "loop/backing_file": "/var/lib/image\n" });
      host.setSwaps("/dev/loop0 partition 1048572 0 -2");
    },
    "warning",
    "/dev/loop0",
  ],
  [
    "swap-encryption",
    "zram",
    (host) => {
      host.addBlockDevice("virtual/zram0", "252:0", { backing_dev: "none\n" });
      host.setSwaps(ZRAM_SWAP);
    },
    "ok",
    "",
  ],
  [
    "swap-encryption",
    "zram that writes to a disk",
    (host) => {
      host.addBlockDevice("virtual/zram0", "252:0", { backing_dev: "/dev/vdb\n" });
      host.setSwaps(ZRAM_SWAP);
    },
    "warning",
    "/dev/zram0",
  ],
  [
    "swap-encryption",
    "a volume of two disks, one of which is encrypted",
    (host) => {
      host.addBlockDevice("virtual/dm-1", "253:1", { "dm/uuid": "LVM-x\n" });
      host.link("/sys/devices/virtual/dm-1/slaves/dm-0", "../../dm-0");
      host.link("/sys/devices/virtual/dm-1/slaves/vda1", "../../../pci/vda/vda1");
      host.setSwaps("/dev/dm-1 partition 1048572 0 -2");
    },
    "warning",
    "/dev/dm-1",
  ],
];

describe("a host with a fault of swap", () => testBreakages(BREAKAGES));
