import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import type { SwapOptions, SwapTarget } from "../../../src/install/engine/options.ts";
import type { DevicePlace, FilePlace } from "../../../src/install/swap/facts.ts";
import {
  readSwapFacts as readFacts,
  readOwnSwap,
  readSwappedTo,
} from "../../../src/install/swap/read-swap.ts";
import { swapSetup } from "../../../src/install/swap/setup.ts";
import type { Host } from "../../../src/install/target/host.ts";

const MI = 1024 ** 2;
const SWAP_FILE = "/var/lib/wasp/swapfile";
const FILE: SwapTarget = { kind: "file", path: SWAP_FILE };
const SWAPS = `Filename				Type		Size		Used		Priority
/dev/zram0                              partition	4194300		1024		100
/var/lib/wasp/swapfile                  file		8388604		0		-2
/srv/my\\040swap                         file		1048572		0		-3
`;
let root: string;

const NOTHING: SwapOptions = { target: undefined, size: undefined, priority: undefined };
const readSwapFacts = (host: Host, target: SwapTarget | undefined) => readFacts(host, { ...NOTHING, target });

beforeEach(() => {
  root = mkdtempSync(`${tmpdir()}/wasp-host-`);
  put("/proc/meminfo", "MemTotal:       16384000 kB\nMemAvailable:    8192000 kB\n");
  put("/proc/swaps", "Filename				Type		Size		Used		Priority\n");
  put("/var/lib/x", "");
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, text);
  chmodSync(root + path, mode);
}

/** Returns a host with one output for each command; other commands fail. */
function hostWith(answers: Readonly<Record<string, string>> = {}, isRunning = true): Host {
  const run = (argv: readonly string[]) => {
    const answer = answers[argv.join(" ")];
    if (answer === undefined) throw new Error(`${argv.join(" ")}: exit status 1`);
    return answer;
  };
  return { fsroot: root, isRunning, run } as Host;
}

const FINDMNT = (folder: string) =>
  `findmnt --json --bytes --target ${folder} --output FSTYPE,OPTIONS,SIZE,AVAIL,UUID`;
const EXT4 = `{"filesystems": [{"fstype":"ext4","options":"rw,relatime,discard","size":270553174016,"avail":67768877056,"uuid":null}]}`;
const wipefs = (path: string) => `wipefs --no-act --json ${path}`;
const OWN_SWAP = `{"signatures": [{"device":"swapfile","offset":"0xff6","type":"swap","uuid":"f54d1fcb","label":"wasp-swap"}]}`;

describe("the swap areas", () => {
  test("are the one at the selected place, and the others", () => {
    put("/proc/swaps", SWAPS);
    put(SWAP_FILE, "swap");
    const host = hostWith({ [FINDMNT("/var/lib/wasp")]: EXT4, [wipefs(SWAP_FILE)]: OWN_SWAP });
    const { active, others, memory } = readSwapFacts(host, FILE);
    expect(active).toEqual({
      name: SWAP_FILE,
      medium: "file",
      sizeBytes: 8388604 * 1024,
      usedBytes: 0,
      priority: -2,
    });
    expect(
      others.map(({ name, medium, usedBytes, priority }) => [name, medium, usedBytes, priority]),
    ).toEqual([
      ["/dev/zram0", "zram", MI, 100],
      ["/srv/my swap", "file", 0, -3],
    ]);
    expect(memory).toEqual({ totalBytes: 16384000 * 1024, availableBytes: 8192000 * 1024 });
  });

  test("are none for a kernel without swap", () => {
    rmSync(`${root}/proc/swaps`);
    expect(readSwapFacts(hostWith(), undefined)).toMatchObject({
      active: undefined,
      others: [],
      place: undefined,
    });
  });

  test("of zram and of an encrypted device are found by the files of the script", () => {
    put(
      "/proc/swaps",
      `Filename Type Size Used Priority\n/dev/zram3 partition 4 0 100\n/dev/dm-2 partition 8 0 -2\n`,
    );
    put("/run/wasp-zram", "3\n");
    put("/dev/dm-2", "");
    mkdirSync(`${root}/dev/mapper`);
    symlinkSync("../dm-2", `${root}/dev/mapper/wasp-swap`);
    put("/sys/class/zram-control/hot_add", "");
    expect(readSwapFacts(hostWith(), { kind: "zram" }).active?.name).toBe("/dev/zram3");
    const target: SwapTarget = { kind: "device", path: "/dev/disk/by-id/a", isEncrypted: true };
    expect(readSwapFacts(hostWith(), target).active?.name).toBe("/dev/dm-2");
  });

  test("of wasp are identified by its script", () => {
    put("/proc/swaps", SWAPS);
    expect(readOwnSwap(hostWith()).active).toBeUndefined();
    const setup = swapSetup({
      target: FILE,
      size: { kind: "overcommit", percent: 150 },
      priority: undefined,
    });
    put("/etc/wasp/swap.sh", setup?.script.text ?? "");
    expect(readOwnSwap(hostWith())).toMatchObject({
      active: { name: SWAP_FILE },
      memory: { availableBytes: 8192000 * 1024 },
    });
  });
});

test("devices that wasp set up for swap have their persistent names", () => {
  put("/proc/swaps", SWAPS.replace("/var/lib/wasp/swapfile", "/dev/sdb"));
  put("/dev/sdb", "");
  mkdirSync(`${root}/dev/disk/by-id`, { recursive: true });
  symlinkSync("../../sdb", `${root}/dev/disk/by-id/disk-1`);
  expect(readSwappedTo(hostWith())).toEqual(["/dev/zram0", "/dev/sdb", "/srv/my swap"]);
  const target: SwapTarget = { kind: "device", path: "/dev/disk/by-id/disk-1", isEncrypted: false };
  put("/etc/wasp/swap.sh", swapSetup({ target, size: undefined, priority: undefined })?.script.text ?? "");
  expect(readSwappedTo(hostWith())).toEqual(["/dev/zram0", "/dev/disk/by-id/disk-1", "/srv/my swap"]);
  expect(readSwappedTo(hostWith({}, false))).toEqual([]);
});

describe("a swap file's place", () => {
  const placeOf = (host: Host, target: SwapTarget = FILE) => readSwapFacts(host, target).place as FilePlace;

  test("that is free has the file system of the innermost existing folder", () => {
    expect(placeOf(hostWith({ [FINDMNT("/var/lib")]: EXT4 }))).toEqual({
      kind: "file",
      path: SWAP_FILE,
      realPath: SWAP_FILE,
      present: undefined,
      fileSystem: {
        type: "ext4",
        isReadOnly: false,
        totalBytes: 270553174016,
        availableBytes: 67768877056,
        deviceCount: undefined,
      },
    });
  });

  test("may be on a btrfs of several devices, read-only", () => {
    const btrfs = `{"filesystems":[{"fstype":"btrfs","options":"ro,subvol=/","size":"100","avail":"50","uuid":"0b54-ab"}]}`;
    put("/sys/fs/btrfs/0b54-ab/devices/sda", "");
    put("/sys/fs/btrfs/0b54-ab/devices/sdb", "");
    const host = hostWith({ [FINDMNT("/var/lib")]: btrfs });
    expect(placeOf(host).fileSystem).toEqual({
      type: "btrfs",
      isReadOnly: true,
      totalBytes: 100,
      availableBytes: 50,
      deviceCount: 2,
    });
    expect(readSwapFacts(host, FILE).missingPrograms).toContain("chattr");
  });

  test("may be taken by wasp's swap, or by a file without a signature", () => {
    put(SWAP_FILE, "eight ch");
    const facts = (signatures: string) =>
      placeOf(hostWith({ [FINDMNT("/var/lib/wasp")]: EXT4, [wipefs(SWAP_FILE)]: signatures })).present;
    expect(facts(OWN_SWAP)).toEqual({ bytes: 8, signatures: [{ type: "swap", label: "wasp-swap" }] });
    expect(facts("")).toEqual({ bytes: 8, signatures: [] });
  });

  test("may be reached through links, of which an absolute one stays below the host's root", () => {
    put("/data/swap/x", "");
    symlinkSync("/data", `${root}/srv`);
    const host = hostWith({ [FINDMNT("/srv/swap")]: EXT4 });
    expect(placeOf(host, { kind: "file", path: "/srv/swap/file" }).realPath).toBe("/data/swap/file");
  });

  test("in an image is read without a command", () => {
    put("/etc/wasp/swap.sh", "of the image");
    expect(readSwapFacts(hostWith({}, false), FILE)).toMatchObject({
      memory: undefined,
      others: [],
      place: { present: undefined, fileSystem: undefined },
      script: "of the image",
    });
  });
});

describe("the programs that are missing", () => {
  const missing = (target: SwapTarget) => readSwapFacts(hostWith({}, false), target).missingPrograms;

  test("are those that the selected kind needs and no folder has", () => {
    expect(missing(FILE)).toEqual(["mkswap", "blkid", "fallocate"]);
    put("/usr/sbin/mkswap", "", 0o755);
    put("/bin/blkid", "", 0o755);
    put("/usr/bin/fallocate", "", 0o644);
    expect(missing(FILE)).toEqual(["fallocate"]);
    put("/sbin/wipefs", "", 0o755);
    const device = { kind: "device", path: "/dev/disk/by-id/a", isEncrypted: false } as const;
    expect(missing(device)).toEqual([]);
    expect(missing({ ...device, isEncrypted: true })).toEqual(["cryptsetup"]);
    expect(missing({ kind: "zram" })).toEqual(["swapon", "modprobe"]);
  });
});

describe("zram", () => {
  const isPossible = (host: Host) => readSwapFacts(host, { kind: "zram" }).place;

  test("is possible where its module is loaded, or can be", () => {
    expect(isPossible(hostWith())).toEqual({ kind: "zram", isPossible: false });
    expect(isPossible(hostWith({ "modprobe --dry-run zram": "" }))).toEqual({
      kind: "zram",
      isPossible: true,
    });
    put("/sys/class/zram-control/hot_add", "");
    expect(isPossible(hostWith())).toEqual({ kind: "zram", isPossible: true });
  });
});

describe("a device", () => {
  const deviceOf = (host: Host, path: string) =>
    (readSwapFacts(host, { kind: "device", path, isEncrypted: false }).place as DevicePlace).device;

  test("may be missing or of another type, and is not read in an image", () => {
    put("/dev/file", "");
    expect(deviceOf(hostWith(), "/dev/nothing")).toBe("missing");
    expect(deviceOf(hostWith(), "/dev/file")).toBe("not-a-block-device");
    expect(deviceOf(hostWith({}, false), "/dev/nothing")).toBeUndefined();
  });
});
