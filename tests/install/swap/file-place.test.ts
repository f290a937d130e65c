import { describe, expect, test } from "bun:test";
import type { SwapOptions } from "../../../src/install/engine/options.ts";
import type { SwapFacts } from "../../../src/install/swap/facts.ts";
import { planSwap } from "../../../src/install/swap/plan.ts";
import {
  DEVICE_AREA,
  EXT4,
  FILE_OPTIONS,
  fileFacts,
  GIB,
  NO_OPTIONS,
  notesOf,
  OWN,
  refusalsOf,
  SWAP_FILE,
} from "./swap-facts.ts";

describe("swap on a file", () => {
  const options: SwapOptions = { ...NO_OPTIONS, target: { kind: "file", path: SWAP_FILE } };
  test.each<[string, SwapFacts, SwapOptions, RegExp]>([
    [
      "no size",
      fileFacts(),
      options,
      /^the size of the swap is missing: .* --overcommit 150% or --swap-size 8Gi$/,
    ],
    [
      "a tiny size",
      fileFacts(),
      { ...NO_OPTIONS, size: { kind: "bytes", bytes: 4096 } },
      /^4 KiB of swap, as requested, which is less than 1 MiB/,
    ],
    [
      "a full disk",
      fileFacts({ fileSystem: { ...EXT4, availableBytes: 41 * GIB } }),
      FILE_OPTIONS,
      /32 GiB do not fit: 41 GiB are free .* 10 GiB, has to stay free, or the kubelet evicts pods/,
    ],
    [
      "another file",
      fileFacts({ present: { bytes: 32 * GIB, signatures: [{ type: "swap", label: undefined }] } }),
      FILE_OPTIONS,
      /swapfile exists already and was not made by wasp: move it away, or choose another path/,
    ],
    [
      "a symbolic link in the path",
      fileFacts({ realPath: "/data/swapfile" }),
      FILE_OPTIONS,
      /symbolic link: use \/data\/swapfile$/,
    ],
    ...["overlay", "zfs", "tmpfs", "nfs4", "f2fs", "ext3"].map(
      (type): [string, SwapFacts, SwapOptions, RegExp] => [
        type,
        fileFacts({ fileSystem: { ...EXT4, type } }),
        FILE_OPTIONS,
        new RegExp(`is ${type}, which does not support swap files: choose a path on ext4, xfs or btrfs`),
      ],
    ),
    [
      "a read-only file system",
      fileFacts({ fileSystem: { ...EXT4, isReadOnly: true } }),
      FILE_OPTIONS,
      /is read-only: choose a writable path/,
    ],
    [
      "a btrfs on two devices",
      fileFacts({ fileSystem: { ...EXT4, type: "btrfs", deviceCount: 2 } }),
      FILE_OPTIONS,
      /is on 2 devices, and the kernel supports swap files only on a single one/,
    ],
    [
      "its own file of another size",
      fileFacts({ present: { bytes: 8 * GIB, signatures: [OWN] } }),
      FILE_OPTIONS,
      /is wasp's swap of 8 GiB already, .* \(wasp uninstall --only swap\)/,
    ],
    [
      "missing programs",
      { ...fileFacts(), missingPrograms: ["mkswap", "chattr"] },
      FILE_OPTIONS,
      /mkswap is missing: install util-linux\n.*chattr is missing: install e2fsprogs/,
    ],
  ])("is refused for %s", (_, facts, chosen, refusal) => {
    expect(refusalsOf(facts, chosen)).toMatch(refusal);
  });

  test("is kept if it is active and not made by wasp", () => {
    const active = { ...DEVICE_AREA, name: SWAP_FILE };
    const facts = {
      ...fileFacts({ present: { bytes: 4 * GIB, signatures: [{ type: "swap", label: undefined }] } }),
      active,
    };
    expect(planSwap(facts, FILE_OPTIONS)).toMatchObject({ steps: [], refusals: [] });
    expect(notesOf(facts, FILE_OPTIONS)).toContain("not set up by wasp: /var/lib/wasp/swapfile");
  });

  test("on a btrfs prevents snapshots", () => {
    const btrfs = fileFacts({ fileSystem: { ...EXT4, type: "btrfs", deviceCount: 1 } });
    expect(notesOf(btrfs, FILE_OPTIONS)).toContain(
      "no snapshot of the subvolume of /var/lib/wasp/swapfile can be taken",
    );
  });
});
