import { expect } from "bun:test";
import type { SwapOptions, SwapSize } from "../../../src/install/engine/options.ts";
import type { SwapArea } from "../../../src/install/swap/areas.ts";
import type {
  BlockDevice,
  DevicePlace,
  FilePlace,
  FileSystem,
  SwapFacts,
} from "../../../src/install/swap/facts.ts";
import { planSwap } from "../../../src/install/swap/plan.ts";

/** Bytes of a mebibyte. */
export const MIB = 1024 ** 2;
/** Bytes of a gibibyte. */
export const GIB = 1024 ** 3;
/** The default swap file. */
export const SWAP_FILE = "/var/lib/wasp/swapfile";
/** A persistent device name. */
export const DEVICE = "/dev/disk/by-id/nvme-1";
/** Signature of swap that wasp made. */
export const OWN = { type: "swap", label: "wasp-swap" };

/** A file system with room for a swap file. */
export const EXT4: FileSystem = {
  type: "ext4",
  isReadOnly: false,
  totalBytes: 100 * GIB,
  availableBytes: 50 * GIB,
  deviceCount: undefined,
};
/** A host without swap, and without a selected place. */
export const NO_SWAP: SwapFacts = {
  memory: { totalBytes: 64 * GIB, availableBytes: 32 * GIB },
  active: undefined,
  others: [],
  place: undefined,
  script: undefined,
  missingPrograms: [],
};
/** An active swap area on a device. */
export const DEVICE_AREA: SwapArea = {
  name: "/dev/sda2",
  medium: "device",
  sizeBytes: 4 * GIB,
  usedBytes: GIB,
  priority: -2,
};
/** Options that request no swap. */
export const NO_OPTIONS: SwapOptions = { target: undefined, size: undefined, priority: undefined };
/** Swap of half the memory. */
export const OVERCOMMIT: SwapSize = { kind: "overcommit", percent: 150 };

/** Returns the facts of a host for a swap file. */
export function fileFacts(changes: Partial<FilePlace> = {}): SwapFacts {
  const place = { path: SWAP_FILE, realPath: SWAP_FILE, present: undefined, fileSystem: EXT4 };
  return { ...NO_SWAP, place: { kind: "file", ...place, ...changes } };
}

/** Returns the facts of a host for swap on a device. */
export function deviceFacts(changes: Partial<BlockDevice> = {}, place: Partial<DevicePlace> = {}): SwapFacts {
  const device = {
    stablePath: DEVICE,
    bytes: 40 * GIB,
    isReadOnly: false,
    isBusy: false,
    mountPoint: undefined,
    children: [],
    signatures: [],
    startsBlank: true,
  };
  return {
    ...NO_SWAP,
    place: { kind: "device", path: DEVICE, isEncrypted: false, device: { ...device, ...changes }, ...place },
  };
}

/** Options for a swap file. */
export const FILE_OPTIONS: SwapOptions = { ...NO_OPTIONS, size: OVERCOMMIT };
/** Options for swap on a device. */
export const DEVICE_OPTIONS: SwapOptions = {
  ...NO_OPTIONS,
  target: { kind: "device", path: DEVICE, isEncrypted: false },
};
/** Options for zram. */
export const ZRAM_OPTIONS: SwapOptions = { ...NO_OPTIONS, target: { kind: "zram" }, size: OVERCOMMIT };
/** Facts of a host for zram. */
export const ZRAM_FACTS: SwapFacts = { ...NO_SWAP, place: { kind: "zram", isPossible: true } };

/** Returns the paths and commands of a plan without refusals. */
export function stepsOf(facts: SwapFacts, options: SwapOptions) {
  const { steps, refusals } = planSwap(facts, options);
  expect(refusals).toEqual([]);
  return steps.map((step) => {
    if (step.kind === "command") return step.argv.join(" ");
    return step.kind === "link" ? `${step.path} -> ${step.target}` : step.path;
  });
}

/** Returns the refusals of a plan without steps. */
export function refusalsOf(facts: SwapFacts, options: SwapOptions): string {
  const { steps, refusals } = planSwap(facts, options);
  expect(steps).toEqual([]);
  return refusals.join("\n");
}

/** Returns the notes of a plan. */
export function notesOf(facts: SwapFacts, options: SwapOptions): string {
  return planSwap(facts, options).notes.join("\n");
}

/** Files of swap on the default file, and the command that follows them. */
export const FILE_STEPS = [
  "/etc/wasp/swap.sh",
  "/etc/systemd/system/wasp-swap.service",
  "/etc/systemd/system/var-lib-wasp-swapfile.swap",
  "/etc/systemd/system/swap.target.wants/var-lib-wasp-swapfile.swap -> /etc/systemd/system/var-lib-wasp-swapfile.swap",
  "systemctl daemon-reload",
];
/** Commands that make and activate swap on the default file. */
export const FILE_START_STEPS = [
  "/bin/sh /etc/wasp/swap.sh make",
  "systemctl start var-lib-wasp-swapfile.swap",
];
