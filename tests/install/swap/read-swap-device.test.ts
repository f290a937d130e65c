// Reads a loop device of this host with its own lsblk and wipefs, in a tree that has udev's names for it.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { DevicePlace } from "../../../src/install/swap/facts.ts";
import { readSwapFacts } from "../../../src/install/swap/read-swap.ts";
import type { Host } from "../../../src/install/target/host.ts";

const MI = 1024 ** 2;
const canLoop = Bun.spawnSync(["losetup", "--find"]).exitCode === 0;

describe.if(canLoop)("a block device", () => {
  const folder = mkdtempSync(`${tmpdir()}/wasp-device-`);
  const root = `${folder}/root`;
  const disk = `${folder}/disk`;
  let device = "";

  beforeAll(() => {
    writeFileSync(disk, new Uint8Array(8 * MI));
    device = must("losetup", "--find", "--show", disk).trim();
    for (const name of ["dev/disk/by-id", "dev/disk/by-path", "proc"])
      mkdirSync(`${root}/${name}`, { recursive: true });
    writeFileSync(`${root}/proc/meminfo`, "MemTotal: 1024 kB\n");
    const [major = "", minor = ""] = must("stat", "-c", "%Hr %Lr", device).trim().split(" ");
    must("mknod", root + device, "b", major, minor);
    link("by-id/lvm-pv-uuid-of-what-it-holds");
    link("by-path/pci-0");
  });
  afterAll(() => {
    must("losetup", "--detach", device);
    rmSync(folder, { recursive: true });
  });

  function must(...argv: string[]): string {
    const { exitCode, stdout, stderr } = Bun.spawnSync(argv);
    if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    return stdout.toString();
  }

  function link(name: string): void {
    symlinkSync(`../..${device.slice("/dev".length)}`, `${root}/dev/disk/${name}`);
  }

  function look(path = device) {
    const host = { fsroot: root, isRunning: true, run: (argv: readonly string[]) => must(...argv) } as Host;
    const target = { kind: "device", path, isEncrypted: false } as const;
    return (readSwapFacts(host, { target, size: undefined, priority: undefined }).place as DevicePlace)
      .device;
  }

  test("that is blank has a persistent name that does not depend on its content", () => {
    expect(look()).toEqual({
      stablePath: "/dev/disk/by-path/pci-0",
      bytes: 8 * MI,
      isReadOnly: false,
      isBusy: false,
      mountPoint: undefined,
      children: [],
      signatures: [],
      startsBlank: true,
    });
  });

  test("keeps the name that it was selected by, if that is persistent", () => {
    link("by-id/nvme-1");
    expect(look()).toMatchObject({ stablePath: "/dev/disk/by-id/nvme-1" });
    expect(look("/dev/disk/by-path/pci-0")).toMatchObject({ stablePath: "/dev/disk/by-path/pci-0" });
    for (const name of ["by-id/nvme-1", "by-path/pci-0"]) unlinkSync(`${root}/dev/disk/${name}`);
    expect(look()).toMatchObject({ stablePath: undefined });
  });

  test("has the signatures of its content", () => {
    must("mkswap", "--label", "wasp-swap", device);
    expect(look()).toMatchObject({
      signatures: [{ type: "swap", label: "wasp-swap" }],
      startsBlank: false,
      isBusy: false,
    });
  });

  test("may be in use", () => {
    must("mke2fs", "-q", "-F", device);
    const mounted = `${folder}/mounted`;
    mkdirSync(mounted);
    must("mount", device, mounted);
    try {
      expect(look()).toMatchObject({ isBusy: true, mountPoint: mounted, signatures: [{ type: "ext2" }] });
    } finally {
      must("umount", mounted);
    }
  });

  test("may be read-only", () => {
    must("blockdev", "--setro", device);
    try {
      expect(look()).toMatchObject({ isReadOnly: true });
    } finally {
      // The flag would stay for the next user of the loop device.
      must("blockdev", "--setrw", device);
    }
  });
});
