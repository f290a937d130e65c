import { describe, expect, test } from "bun:test";
import type { SwapOptions, SwapSize } from "../../../src/install/engine/options.ts";
import type { SwapArea } from "../../../src/install/swap/areas.ts";
import type {
  BlockDevice,
  DevicePlace,
  FilePlace,
  FileSystem,
  SwapFacts,
} from "../../../src/install/swap/facts.ts";
import { diskOfPlan, planSwap } from "../../../src/install/swap/plan.ts";
import { swapSetup } from "../../../src/install/swap/setup.ts";

const MI = 1024 ** 2;
const GI = 1024 ** 3;
const SWAP_FILE = "/var/lib/wasp/swapfile";
const DISK = "/dev/disk/by-id/nvme-1";
const OWN = { type: "swap", label: "wasp-swap" };

const EXT4: FileSystem = {
  type: "ext4",
  isReadOnly: false,
  totalBytes: 100 * GI,
  availableBytes: 50 * GI,
  deviceCount: undefined,
};
const BARE: SwapFacts = {
  memory: { totalBytes: 64 * GI, availableBytes: 32 * GI },
  active: undefined,
  others: [],
  place: undefined,
  script: undefined,
  missingPrograms: [],
};
const DISK_AREA: SwapArea = {
  name: "/dev/sda2",
  medium: "device",
  sizeBytes: 4 * GI,
  usedBytes: GI,
  priority: -2,
};
const OPTIONS: SwapOptions = { target: undefined, size: undefined, priority: undefined };
const OVERCOMMIT: SwapSize = { kind: "overcommit", percent: 150 };

function file(changes: Partial<FilePlace> = {}): SwapFacts {
  const place = { path: SWAP_FILE, realPath: SWAP_FILE, present: undefined, fileSystem: EXT4 };
  return { ...BARE, place: { kind: "file", ...place, ...changes } };
}

function disk(changes: Partial<BlockDevice> = {}, place: Partial<DevicePlace> = {}): SwapFacts {
  const device = {
    stablePath: DISK,
    bytes: 40 * GI,
    isReadOnly: false,
    isBusy: false,
    mountPoint: undefined,
    children: [],
    signatures: [],
    startsBlank: true,
  };
  return {
    ...BARE,
    place: { kind: "device", path: DISK, isEncrypted: false, device: { ...device, ...changes }, ...place },
  };
}

const FILE_OPTIONS: SwapOptions = { ...OPTIONS, size: OVERCOMMIT };
const DISK_OPTIONS: SwapOptions = { ...OPTIONS, target: { kind: "device", path: DISK, isEncrypted: false } };
const ZRAM_OPTIONS: SwapOptions = { ...OPTIONS, target: { kind: "zram" }, size: OVERCOMMIT };
const ZRAM: SwapFacts = { ...BARE, place: { kind: "zram", isPossible: true } };

/** What a plan does, a word or two for each step. */
function shown(facts: SwapFacts, options: SwapOptions) {
  const { steps, refusals } = planSwap(facts, options);
  expect(refusals).toEqual([]);
  return steps.map((step) => {
    if (step.kind === "command") return step.argv.join(" ");
    return step.kind === "link" ? `${step.path} -> ${step.target}` : step.path;
  });
}

function refusalsOf(facts: SwapFacts, options: SwapOptions): string {
  const { steps, refusals } = planSwap(facts, options);
  expect(steps).toEqual([]);
  return refusals.join("\n");
}

const notesOf = (facts: SwapFacts, options: SwapOptions) => planSwap(facts, options).notes.join("\n");

const FILES_OF_FILE = [
  "/etc/wasp/swap.sh",
  "/etc/systemd/system/wasp-swap.service",
  "/etc/systemd/system/var-lib-wasp-swapfile.swap",
  "/etc/systemd/system/swap.target.wants/var-lib-wasp-swapfile.swap -> /etc/systemd/system/var-lib-wasp-swapfile.swap",
  "systemctl daemon-reload",
];
const START_OF_FILE = ["/bin/sh /etc/wasp/swap.sh make", "systemctl start var-lib-wasp-swapfile.swap"];

describe("swap on a file", () => {
  test("is a script, its units, and what makes it at once", () => {
    expect(shown(file(), FILE_OPTIONS)).toEqual([...FILES_OF_FILE, ...START_OF_FILE]);
  });

  test("shows how its size comes about", () => {
    const { steps } = planSwap(file(), FILE_OPTIONS);
    expect(steps.map(({ why }) => why)).toContain("64 GiB of memory * (150% / 100% - 1) = 32 GiB of swap");
  });

  test("is undone by its script before that goes, and systemd is told last", () => {
    const undos = planSwap(file(), FILE_OPTIONS).steps.flatMap((step) =>
      step.kind === "command" && step.undo !== undefined ? [step.undo] : [],
    );
    expect(undos).toEqual([
      { argv: ["systemctl", "daemon-reload"], order: "last" },
      {
        argv: ["/bin/sh", "/etc/wasp/swap.sh", "remove"],
        order: "first",
        removes: [SWAP_FILE, `${SWAP_FILE}.new`],
      },
    ]);
  });

  test("runs nothing once it is on", () => {
    const on = {
      ...file({ present: { bytes: 32 * GI, signatures: [OWN] } }),
      active: { ...DISK_AREA, name: SWAP_FILE },
    };
    expect(shown(on, FILE_OPTIONS)).toEqual(FILES_OF_FILE);
  });

  test("stays as it was chosen where nothing is said of it any more, and is asked for again where it is", () => {
    const script = swapSetup({ target: { kind: "file", path: SWAP_FILE }, size: OVERCOMMIT, priority: 3 })
      ?.script.text;
    const others = [{ ...DISK_AREA, sizeBytes: 64 * GI }];
    const on = {
      ...file({ present: { bytes: 32 * GI, signatures: [OWN] } }),
      ...{ script, others, active: { ...DISK_AREA, name: SWAP_FILE, priority: 3 } },
    };
    expect(shown(on, OPTIONS)).toEqual(FILES_OF_FILE);
    expect(planSwap(on, OPTIONS).steps[0]).toMatchObject({ kind: "file", text: script });
    expect(shown(on, FILE_OPTIONS)).toEqual(FILES_OF_FILE);
  });

  test("is turned on again where it is made but off", () => {
    const off = file({ present: { bytes: 32 * GI, signatures: [OWN] } });
    expect(shown(off, FILE_OPTIONS)).toEqual([...FILES_OF_FILE, ...START_OF_FILE]);
  });

  test("needs nothing of an image but its size", () => {
    const image = { ...file({ fileSystem: undefined }), memory: undefined };
    expect(shown(image, FILE_OPTIONS)).toEqual([...FILES_OF_FILE, ...START_OF_FILE]);
    expect(notesOf(image, FILE_OPTIONS)).toBe("the swap is made when a node starts from the image");
  });

  const options: SwapOptions = { ...OPTIONS, target: { kind: "file", path: SWAP_FILE } };
  test.each<[string, SwapFacts, SwapOptions, RegExp]>([
    ["no size", file(), options, /^how large .* --overcommit 150% or --swap-size 8Gi$/],
    [
      "a size of nothing",
      file(),
      { ...OPTIONS, size: { kind: "bytes", bytes: 4096 } },
      /^4 KiB of swap, as asked for, which is less than 1 MiB/,
    ],
    [
      "a full disk",
      file({ fileSystem: { ...EXT4, availableBytes: 41 * GI } }),
      FILE_OPTIONS,
      /32 GiB do not fit: 41 GiB are free .* 10 GiB, has to stay free, or the kubelet evicts/,
    ],
    [
      "somebody's file",
      file({ present: { bytes: 32 * GI, signatures: [{ type: "swap", label: undefined }] } }),
      FILE_OPTIONS,
      /swapfile is there already, and wasp did not make it: move it away, or choose another path/,
    ],
    [
      "a link on the way",
      file({ realPath: "/data/swapfile" }),
      FILE_OPTIONS,
      /symbolic link: name it as \/data\/swapfile$/,
    ],
    ...["overlay", "zfs", "tmpfs", "nfs4", "f2fs", "ext3"].map(
      (type): [string, SwapFacts, SwapOptions, RegExp] => [
        type,
        file({ fileSystem: { ...EXT4, type } }),
        FILE_OPTIONS,
        new RegExp(`is ${type}, which can hold no swap file: choose a path on ext4, xfs or btrfs`),
      ],
    ),
    [
      "a read-only file system",
      file({ fileSystem: { ...EXT4, isReadOnly: true } }),
      FILE_OPTIONS,
      /is read-only: choose a path that can be written/,
    ],
    [
      "a btrfs on two devices",
      file({ fileSystem: { ...EXT4, type: "btrfs", deviceCount: 2 } }),
      FILE_OPTIONS,
      /is on 2 devices, and the kernel swaps to a file on a single one/,
    ],
    [
      "its own file of another size",
      file({ present: { bytes: 8 * GI, signatures: [OWN] } }),
      FILE_OPTIONS,
      /is wasp's swap of 8 GiB already, .* \(wasp uninstall --only swap\)/,
    ],
    [
      "missing programs",
      { ...file(), missingPrograms: ["mkswap", "chattr"] },
      FILE_OPTIONS,
      /mkswap is not there: install util-linux\n.*chattr is not there: install e2fsprogs/,
    ],
  ])("is refused for %s", (_, facts, chosen, refusal) => {
    expect(refusalsOf(facts, chosen)).toMatch(refusal);
  });

  test("is not wasp's to make where it is on already, made by others", () => {
    const active = { ...DISK_AREA, name: SWAP_FILE };
    const facts = {
      ...file({ present: { bytes: 4 * GI, signatures: [{ type: "swap", label: undefined }] } }),
      active,
    };
    expect(planSwap(facts, FILE_OPTIONS)).toMatchObject({ steps: [], refusals: [] });
    expect(notesOf(facts, FILE_OPTIONS)).toContain("set up by somebody else: /var/lib/wasp/swapfile");
  });

  test("on a btrfs holds snapshots off", () => {
    const btrfs = file({ fileSystem: { ...EXT4, type: "btrfs", deviceCount: 1 } });
    expect(notesOf(btrfs, FILE_OPTIONS)).toContain("no snapshot can be taken");
  });
});

describe("swap on a device", () => {
  test("takes all of a blank device, and says what pods get of it", () => {
    expect(shown(disk(), DISK_OPTIONS)).toContain("systemctl start dev-disk-by\\x2did-nvme\\x2d1.swap");
    expect(notesOf(disk(), DISK_OPTIONS)).toContain(
      "all of /dev/disk/by-id/nvme-1 becomes swap: 40 GiB, with which pods may use 162% of the 64 GiB of memory",
    );
  });

  test("goes by a name that stays with the device", () => {
    const facts = disk({}, { path: "/dev/sdb" });
    const options: SwapOptions = {
      ...DISK_OPTIONS,
      target: { kind: "device", path: "/dev/sdb", isEncrypted: false },
    };
    expect(shown(facts, options).join("\n")).not.toContain("dev-sdb");
    expect(shown(facts, options)).toContain("systemctl start dev-disk-by\\x2did-nvme\\x2d1.swap");
  });

  test("is as planned where it is on", () => {
    const on = { ...disk({ signatures: [OWN], isBusy: true, mountPoint: "[SWAP]" }), active: DISK_AREA };
    expect(shown(on, DISK_OPTIONS).filter((step) => /make|start/.test(step))).toEqual([]);
  });

  const encrypted: SwapOptions = { ...OPTIONS, target: { kind: "device", path: DISK, isEncrypted: true } };
  test("encrypted is known by its header, and by the mapping that is open", () => {
    const luks = { type: "crypto_LUKS", label: "wasp-swap" };
    const facts = disk(
      { signatures: [luks, luks], isBusy: true, children: ["wasp-swap"], startsBlank: false },
      { isEncrypted: true },
    );
    expect(shown(facts, encrypted)).toContain("systemctl start dev-mapper-wasp\\x2dswap.swap");
  });

  test.each<[string, SwapFacts, SwapOptions, RegExp]>([
    [
      "nothing there",
      disk({}, { device: "missing" }),
      DISK_OPTIONS,
      /nvme-1 is not there: name one that lsblk/,
    ],
    ["a file", disk({}, { device: "not-a-block-device" }), DISK_OPTIONS, /nvme-1 is not a block device/],
    [
      "a name that moves",
      disk({ stablePath: undefined }, { path: "/dev/vda" }),
      { ...OPTIONS, target: { kind: "device", path: "/dev/vda", isEncrypted: false } },
      /^\/dev\/vda may be another disk at the next start, and it has no lasting name/,
    ],
    ["a read-only disk", disk({ isReadOnly: true }), DISK_OPTIONS, /nvme-1 is read-only/],
    ["a mounted disk", disk({ mountPoint: "/var", isBusy: true }), DISK_OPTIONS, /in use, as \/var:/],
    ["a disk with partitions", disk({ children: ["sdb1", "sdb2"] }), DISK_OPTIONS, /in use, by sdb1, sdb2:/],
    ["a disk that somebody has", disk({ isBusy: true }), DISK_OPTIONS, /in use, the kernel says/],
    [
      "a file system",
      disk({ signatures: [{ type: "ext4", label: "data" }], startsBlank: false }),
      DISK_OPTIONS,
      /nvme-1 holds ext4 "data": choose a blank one; .* wipefs --all/,
    ],
    [
      "somebody's swap that is off",
      disk({ signatures: [{ type: "swap", label: undefined }] }),
      DISK_OPTIONS,
      /nvme-1 holds swap:/,
    ],
    [
      "data without a signature",
      disk({ startsBlank: false }),
      DISK_OPTIONS,
      /without a signature: its first MiB/,
    ],
    [
      "a disk that is too small",
      disk({ bytes: 8 * GI }),
      { ...DISK_OPTIONS, size: OVERCOMMIT },
      /too small: it gives 8 GiB, not the 64 GiB of memory \* \(150% \/ 100% - 1\) = 32 GiB of swap/,
    ],
    [
      "a tiny disk",
      disk({ bytes: 16 * MI }, { isEncrypted: true }),
      encrypted,
      /it gives 0 B, not at least 1 MiB/,
    ],
    [
      "its own swap, to be encrypted",
      disk({ signatures: [OWN], isBusy: true, mountPoint: "[SWAP]" }, { isEncrypted: true }),
      encrypted,
      /in use, as \[SWAP\]/,
    ],
    [
      "no cryptsetup",
      { ...disk({}, { isEncrypted: true }), missingPrograms: ["cryptsetup"] },
      encrypted,
      /cryptsetup is not there: install cryptsetup-bin on Debian, cryptsetup on RHEL/,
    ],
    [
      "a name that moves, of an image",
      { ...disk({}, { path: "/dev/sdb", device: undefined }), memory: undefined },
      { ...OPTIONS, target: { kind: "device", path: "/dev/sdb", isEncrypted: false } },
      /^\/dev\/sdb may be another disk on a node that starts from the image/,
    ],
  ])("is refused for %s", (_, facts, options, refusal) => {
    expect(refusalsOf(facts, options)).toMatch(refusal);
  });

  test("is planned for an image by a name that stays", () => {
    const image = { ...disk({}, { device: undefined }), memory: undefined };
    expect(shown(image, DISK_OPTIONS)).toContain("/etc/wasp/swap.sh");
  });
});

describe("swap on zram", () => {
  test("says what it costs", () => {
    expect(shown(ZRAM, ZRAM_OPTIONS)).toContain("systemctl start wasp-swap.service");
    expect(notesOf(ZRAM, ZRAM_OPTIONS)).toContain(
      "about 11 GiB of it if that compresses 3:1, so that pods may use 133% of memory, and 32 GiB, which gains nothing",
    );
  });

  test.each<[string, SwapFacts, SwapOptions, RegExp]>([
    [
      "a kernel without it",
      { ...BARE, place: { kind: "zram", isPossible: false } },
      ZRAM_OPTIONS,
      /has no zram/,
    ],
    [
      "more than memory can hold",
      ZRAM,
      { ...ZRAM_OPTIONS, size: { kind: "overcommit", percent: 400 } },
      /192 GiB of zram is more than twice the memory, 128 GiB/,
    ],
    ["no size", ZRAM, { ...OPTIONS, target: { kind: "zram" } }, /^how large/],
  ])("is refused for %s", (_, facts, options, refusal) => {
    expect(refusalsOf(facts, options)).toMatch(refusal);
  });
});

describe("other swap", () => {
  test("that is large enough will do where no place was chosen", () => {
    const others = [{ ...DISK_AREA, sizeBytes: 32 * GI }];
    expect(shown({ ...file(), others }, FILE_OPTIONS)).toEqual([]);
    expect(notesOf({ ...file(), others }, FILE_OPTIONS)).toContain(
      "swap enough, set up by somebody else: /dev/sda2",
    );
  });

  test.each<[string, readonly SwapArea[], SwapOptions]>([
    ["too small", [DISK_AREA], FILE_OPTIONS],
    ["in memory", [{ ...DISK_AREA, name: "/dev/zram0", medium: "zram", sizeBytes: 64 * GI }], FILE_OPTIONS],
    [
      "elsewhere than chosen",
      [{ ...DISK_AREA, sizeBytes: 64 * GI }],
      { ...FILE_OPTIONS, target: { kind: "file", path: SWAP_FILE } },
    ],
  ])("that is %s stays, beside wasp's", (_, others, options) => {
    expect(shown({ ...file(), others }, options)).toEqual([...FILES_OF_FILE, ...START_OF_FILE]);
    expect(notesOf({ ...file(), others }, options)).toContain("other swap is there, and stays");
  });

  test.each<[number | undefined, string]>([
    [undefined, "/dev/zram0 (100), then /dev/sda2 (-2), then /var/lib/wasp/swapfile"],
    [50, "/dev/zram0 (100), then /var/lib/wasp/swapfile (50), then /dev/sda2 (-2)"],
  ])("is filled in the order of priorities, wasp's having %p", (priority, order) => {
    const others = [DISK_AREA, { ...DISK_AREA, name: "/dev/zram0", priority: 100 }];
    expect(notesOf({ ...file(), others }, { ...FILE_OPTIONS, priority })).toContain(
      `the kernel fills the swap of the highest priority first: ${order}`,
    );
  });

  test("of wasp, elsewhere, has to go first", () => {
    const target = { kind: "file", path: "/srv/swap" } as const;
    const script = swapSetup({ target, size: OVERCOMMIT, priority: undefined })?.script.text;
    expect(refusalsOf({ ...file(), script }, FILE_OPTIONS)).toBe(
      "wasp made swap on the file /srv/swap, and now the file /var/lib/wasp/swapfile is asked for: take the first away before (wasp uninstall --only swap)",
    );
  });

  test("of wasp, with another priority, gets the new one at the next start", () => {
    const on = {
      ...file({ present: { bytes: 32 * GI, signatures: [OWN] } }),
      active: { ...DISK_AREA, name: SWAP_FILE, medium: "file" as const },
    };
    expect(notesOf(on, { ...FILE_OPTIONS, priority: 7 })).toContain(
      "has priority -2 until the next start, then 7",
    );
    expect(notesOf(on, FILE_OPTIONS)).toBe("");
  });
});

test.each<[readonly SwapArea[], RegExp]>([
  [[], /^there is no swap, and none is set up/],
  [[DISK_AREA], /^swap stays as it is: \/dev\/sda2 \(device, 4 GiB, priority -2\)$/],
])("where nothing is asked for, nothing is done: %j", (others, note) => {
  expect(shown({ ...BARE, others }, OPTIONS)).toEqual([]);
  expect(notesOf({ ...BARE, others }, OPTIONS)).toMatch(note);
});

test.each<[string, SwapFacts, SwapOptions, string | undefined]>([
  ["of a file, its path", file(), FILE_OPTIONS, SWAP_FILE],
  ["of a device, the name that stays", disk({}, { path: "/dev/sdb" }), DISK_OPTIONS, DISK],
  ["of zram, none", ZRAM, ZRAM_OPTIONS, undefined],
  ["of a refused plan, none", disk({ isBusy: true }), DISK_OPTIONS, undefined],
  ["of no plan, none", BARE, OPTIONS, undefined],
])("the disk that a plan has swapped to: %s", (_, facts, options, path) => {
  expect(diskOfPlan(planSwap(facts, options))).toBe(path);
});
