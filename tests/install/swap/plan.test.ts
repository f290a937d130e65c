import { describe, expect, test } from "bun:test";
import type { SwapOptions } from "../../../src/install/engine/options.ts";
import type { SwapArea } from "../../../src/install/swap/areas.ts";
import type { SwapFacts } from "../../../src/install/swap/facts.ts";
import { diskOfPlan, planSwap } from "../../../src/install/swap/plan.ts";
import { swapSetup } from "../../../src/install/swap/setup.ts";
import {
  DEVICE,
  DEVICE_AREA,
  DEVICE_OPTIONS,
  deviceFacts,
  FILE_OPTIONS,
  FILE_START_STEPS,
  FILE_STEPS,
  fileFacts,
  GIB,
  NO_OPTIONS,
  NO_SWAP,
  notesOf,
  OVERCOMMIT,
  OWN,
  SWAP_FILE,
  stepsOf,
  ZRAM_FACTS,
  ZRAM_OPTIONS,
} from "./swap-facts.ts";

describe("swap on a file", () => {
  test("is a script, its units, and the commands that make it now", () => {
    expect(stepsOf(fileFacts(), FILE_OPTIONS)).toEqual([...FILE_STEPS, ...FILE_START_STEPS]);
  });

  test("shows the derivation of its size", () => {
    const { steps } = planSwap(fileFacts(), FILE_OPTIONS);
    expect(steps.map(({ why }) => why)).toContain("64 GiB of memory * (150% / 100% - 1) = 32 GiB of swap");
  });

  test("is undone by its script, before a final reload of systemd", () => {
    const undos = planSwap(fileFacts(), FILE_OPTIONS).steps.flatMap((step) =>
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

  test("runs no command while it is active", () => {
    const on = {
      ...fileFacts({ present: { bytes: 32 * GIB, signatures: [OWN] } }),
      active: { ...DEVICE_AREA, name: SWAP_FILE },
    };
    expect(stepsOf(on, FILE_OPTIONS)).toEqual(FILE_STEPS);
  });

  test("keeps its options in a run without options", () => {
    const script = swapSetup({ target: { kind: "file", path: SWAP_FILE }, size: OVERCOMMIT, priority: 3 })
      ?.script.text;
    const others = [{ ...DEVICE_AREA, sizeBytes: 64 * GIB }];
    const on = {
      ...fileFacts({ present: { bytes: 32 * GIB, signatures: [OWN] } }),
      ...{ script, others, active: { ...DEVICE_AREA, name: SWAP_FILE, priority: 3 } },
    };
    expect(stepsOf(on, NO_OPTIONS)).toEqual(FILE_STEPS);
    expect(planSwap(on, NO_OPTIONS).steps[0]).toMatchObject({ kind: "file", text: script });
    expect(stepsOf(on, FILE_OPTIONS)).toEqual(FILE_STEPS);
  });

  test("is turned on again if it exists but is off", () => {
    const off = fileFacts({ present: { bytes: 32 * GIB, signatures: [OWN] } });
    expect(stepsOf(off, FILE_OPTIONS)).toEqual([...FILE_STEPS, ...FILE_START_STEPS]);
  });

  test("needs only its size in an image", () => {
    const image = { ...fileFacts({ fileSystem: undefined }), memory: undefined };
    expect(stepsOf(image, FILE_OPTIONS)).toEqual([...FILE_STEPS, ...FILE_START_STEPS]);
    expect(notesOf(image, FILE_OPTIONS)).toBe("the swap is made when a node boots from the image");
  });
});

test.each<[readonly SwapArea[], RegExp]>([
  [[], /^there is no swap, and none is set up/],
  [[DEVICE_AREA], /^swap stays as it is: \/dev\/sda2 \(device, 4 GiB, priority -2\)$/],
])("without a request, nothing is done: %j", (others, note) => {
  expect(stepsOf({ ...NO_SWAP, others }, NO_OPTIONS)).toEqual([]);
  expect(notesOf({ ...NO_SWAP, others }, NO_OPTIONS)).toMatch(note);
});

test.each<[string, SwapFacts, SwapOptions, string | undefined]>([
  ["of a file, its path", fileFacts(), FILE_OPTIONS, SWAP_FILE],
  ["of a device, the persistent name", deviceFacts({}, { path: "/dev/sdb" }), DEVICE_OPTIONS, DEVICE],
  ["of zram, none", ZRAM_FACTS, ZRAM_OPTIONS, undefined],
  ["of a refused plan, none", deviceFacts({ isBusy: true }), DEVICE_OPTIONS, undefined],
  ["of no plan, none", NO_SWAP, NO_OPTIONS, undefined],
])("the disk of a plan: %s", (_, facts, options, path) => {
  expect(diskOfPlan(planSwap(facts, options))).toBe(path);
});
