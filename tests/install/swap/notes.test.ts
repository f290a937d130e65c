import { describe, expect, test } from "bun:test";
import type { SwapOptions } from "../../../src/install/engine/options.ts";
import type { SwapArea } from "../../../src/install/swap/areas.ts";
import { swapSetup } from "../../../src/install/swap/setup.ts";
import {
  DEVICE_AREA,
  FILE_OPTIONS,
  FILE_START_STEPS,
  FILE_STEPS,
  fileFacts,
  GIB,
  notesOf,
  OVERCOMMIT,
  OWN,
  refusalsOf,
  SWAP_FILE,
  stepsOf,
} from "./swap-facts.ts";

describe("other swap", () => {
  test("that is large enough suffices if no place is selected", () => {
    const others = [{ ...DEVICE_AREA, sizeBytes: 32 * GIB }];
    expect(stepsOf({ ...fileFacts(), others }, FILE_OPTIONS)).toEqual([]);
    expect(notesOf({ ...fileFacts(), others }, FILE_OPTIONS)).toContain(
      "enough swap already, not set up by wasp: /dev/sda2",
    );
  });

  test.each<[string, readonly SwapArea[], SwapOptions]>([
    ["too small", [DEVICE_AREA], FILE_OPTIONS],
    [
      "in memory",
      [{ ...DEVICE_AREA, name: "/dev/zram0", medium: "zram", sizeBytes: 64 * GIB }],
      FILE_OPTIONS,
    ],
    [
      "at another place than selected",
      [{ ...DEVICE_AREA, sizeBytes: 64 * GIB }],
      { ...FILE_OPTIONS, target: { kind: "file", path: SWAP_FILE } },
    ],
  ])("that is %s stays, in addition to wasp's", (_, others, options) => {
    expect(stepsOf({ ...fileFacts(), others }, options)).toEqual([...FILE_STEPS, ...FILE_START_STEPS]);
    expect(notesOf({ ...fileFacts(), others }, options)).toContain("other swap is active and stays as it is");
  });

  test.each<[number | undefined, string]>([
    [undefined, "/dev/zram0 (100), then /dev/sda2 (-2), then /var/lib/wasp/swapfile"],
    [50, "/dev/zram0 (100), then /var/lib/wasp/swapfile (50), then /dev/sda2 (-2)"],
  ])("is filled in the order of priorities, wasp's having %p", (priority, order) => {
    const others = [DEVICE_AREA, { ...DEVICE_AREA, name: "/dev/zram0", priority: 100 }];
    expect(notesOf({ ...fileFacts(), others }, { ...FILE_OPTIONS, priority })).toContain(
      `the kernel fills the swap of the highest priority first: ${order}`,
    );
  });

  test("of wasp at another place has to be removed first", () => {
    const target = { kind: "file", path: "/srv/swap" } as const;
    const script = swapSetup({ target, size: OVERCOMMIT, priority: undefined })?.script.text;
    expect(refusalsOf({ ...fileFacts(), script }, FILE_OPTIONS)).toBe(
      "wasp's swap is on the file /srv/swap, and the file /var/lib/wasp/swapfile is requested: remove the former first (wasp uninstall --only swap)",
    );
  });

  test("of wasp with another priority gets the new one at the next boot", () => {
    const on = {
      ...fileFacts({ present: { bytes: 32 * GIB, signatures: [OWN] } }),
      active: { ...DEVICE_AREA, name: SWAP_FILE, medium: "file" as const },
    };
    expect(notesOf(on, { ...FILE_OPTIONS, priority: 7 })).toContain(
      "has priority -2 until the next boot, then 7",
    );
    expect(notesOf(on, FILE_OPTIONS)).toBe("");
  });
});
