import { describe, expect, test } from "bun:test";
import type { SwapOptions } from "../../../src/install/engine/options.ts";
import type { SwapFacts } from "../../../src/install/swap/facts.ts";
import {
  DEVICE,
  DEVICE_AREA,
  DEVICE_OPTIONS,
  deviceFacts,
  GIB,
  MIB,
  NO_OPTIONS,
  notesOf,
  OVERCOMMIT,
  OWN,
  refusalsOf,
  stepsOf,
} from "./swap-facts.ts";

describe("swap on a device", () => {
  test("takes all of a blank device, and notes the resulting overcommit", () => {
    expect(stepsOf(deviceFacts(), DEVICE_OPTIONS)).toContain(
      "systemctl start dev-disk-by\\x2did-nvme\\x2d1.swap",
    );
    expect(notesOf(deviceFacts(), DEVICE_OPTIONS)).toContain(
      "all of /dev/disk/by-id/nvme-1 becomes swap: 40 GiB, with which pods may use 162% of the 64 GiB of memory",
    );
  });

  test("has units with the persistent name of the device", () => {
    const facts = deviceFacts({}, { path: "/dev/sdb" });
    const options: SwapOptions = {
      ...DEVICE_OPTIONS,
      target: { kind: "device", path: "/dev/sdb", isEncrypted: false },
    };
    expect(stepsOf(facts, options).join("\n")).not.toContain("dev-sdb");
    expect(stepsOf(facts, options)).toContain("systemctl start dev-disk-by\\x2did-nvme\\x2d1.swap");
  });

  test("is as planned while it is active", () => {
    const on = {
      ...deviceFacts({ signatures: [OWN], isBusy: true, mountPoint: "[SWAP]" }),
      active: DEVICE_AREA,
    };
    expect(stepsOf(on, DEVICE_OPTIONS).filter((step) => /make|start/.test(step))).toEqual([]);
  });

  const encrypted: SwapOptions = {
    ...NO_OPTIONS,
    target: { kind: "device", path: DEVICE, isEncrypted: true },
  };
  test("with encryption is identified by its header and its open mapping", () => {
    const luks = { type: "crypto_LUKS", label: "wasp-swap" };
    const facts = deviceFacts(
      { signatures: [luks, luks], isBusy: true, children: ["wasp-swap"], startsBlank: false },
      { isEncrypted: true },
    );
    expect(stepsOf(facts, encrypted)).toContain("systemctl start dev-mapper-wasp\\x2dswap.swap");
  });

  test.each<[string, SwapFacts, SwapOptions, RegExp]>([
    [
      "a missing device",
      deviceFacts({}, { device: "missing" }),
      DEVICE_OPTIONS,
      /nvme-1 does not exist: choose one that lsblk/,
    ],
    [
      "a file",
      deviceFacts({}, { device: "not-a-block-device" }),
      DEVICE_OPTIONS,
      /nvme-1 is not a block device/,
    ],
    [
      "a name that is not persistent",
      deviceFacts({ stablePath: undefined }, { path: "/dev/vda" }),
      { ...NO_OPTIONS, target: { kind: "device", path: "/dev/vda", isEncrypted: false } },
      /^\/dev\/vda may name another disk after the next boot, and the device has no persistent name/,
    ],
    ["a read-only disk", deviceFacts({ isReadOnly: true }), DEVICE_OPTIONS, /nvme-1 is read-only/],
    [
      "a mounted disk",
      deviceFacts({ mountPoint: "/var", isBusy: true }),
      DEVICE_OPTIONS,
      /in use, as \/var:/,
    ],
    [
      "a disk with partitions",
      deviceFacts({ children: ["sdb1", "sdb2"] }),
      DEVICE_OPTIONS,
      /in use, by sdb1, sdb2:/,
    ],
    [
      "a disk that is open exclusively",
      deviceFacts({ isBusy: true }),
      DEVICE_OPTIONS,
      /in use: the kernel denies exclusive access/,
    ],
    [
      "a file system",
      deviceFacts({ signatures: [{ type: "ext4", label: "data" }], startsBlank: false }),
      DEVICE_OPTIONS,
      /nvme-1 holds ext4 "data": choose a blank one; .* wipefs --all/,
    ],
    [
      "other swap that is off",
      deviceFacts({ signatures: [{ type: "swap", label: undefined }] }),
      DEVICE_OPTIONS,
      /nvme-1 holds swap:/,
    ],
    [
      "data without a signature",
      deviceFacts({ startsBlank: false }),
      DEVICE_OPTIONS,
      /without a signature: its first MiB/,
    ],
    [
      "a disk that is too small",
      deviceFacts({ bytes: 8 * GIB }),
      { ...DEVICE_OPTIONS, size: OVERCOMMIT },
      /too small: it provides 8 GiB, not the 64 GiB of memory \* \(150% \/ 100% - 1\) = 32 GiB of swap/,
    ],
    [
      "a tiny disk",
      deviceFacts({ bytes: 16 * MIB }, { isEncrypted: true }),
      encrypted,
      /it provides 0 B, not at least 1 MiB/,
    ],
    [
      "its own swap, with a request to encrypt it",
      deviceFacts({ signatures: [OWN], isBusy: true, mountPoint: "[SWAP]" }, { isEncrypted: true }),
      encrypted,
      /in use, as \[SWAP\]/,
    ],
    [
      "no cryptsetup",
      { ...deviceFacts({}, { isEncrypted: true }), missingPrograms: ["cryptsetup"] },
      encrypted,
      /cryptsetup is missing: install cryptsetup-bin on Debian, cryptsetup on RHEL/,
    ],
    [
      "a name that is not persistent, in an image",
      { ...deviceFacts({}, { path: "/dev/sdb", device: undefined }), memory: undefined },
      { ...NO_OPTIONS, target: { kind: "device", path: "/dev/sdb", isEncrypted: false } },
      /^\/dev\/sdb may name another disk on a node that boots from the image/,
    ],
  ])("is refused for %s", (_, facts, options, refusal) => {
    expect(refusalsOf(facts, options)).toMatch(refusal);
  });

  test("is planned for an image by a persistent name", () => {
    const image = { ...deviceFacts({}, { device: undefined }), memory: undefined };
    expect(stepsOf(image, DEVICE_OPTIONS)).toContain("/etc/wasp/swap.sh");
  });
});
