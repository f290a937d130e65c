import { expect, test } from "bun:test";
import type { SwapArea } from "../../../src/install/swap/areas.ts";
import { removalRefusals, type SwappedCgroup } from "../../../src/install/swap/removal.ts";

const MI = 1024 ** 2;
const GI = 1024 ** 3;

const AREA: SwapArea = {
  name: "/dev/sda2",
  medium: "device",
  sizeBytes: 4 * GI,
  usedBytes: GI,
  priority: -2,
};
const AMPLE = { totalBytes: 64 * GI, availableBytes: 32 * GI };

test.each<[string, number, number, number, boolean]>([
  ["nothing is swapped out", 16 * GI, GI, 0, false],
  ["it fits, with a twentieth to spare", 64 * GI, 4.2 * GI, GI, false],
  ["the twentieth would be missing", 64 * GI, 4.1 * GI, GI, true],
  ["a small node's 256 MiB would be missing", GI, 300 * MI, 100 * MI, true],
])(
  "swap is turned off only if memory can take it: %s",
  (_, totalBytes, availableBytes, usedBytes, isRefused) => {
    const facts = { memory: { totalBytes, availableBytes }, active: { ...AREA, usedBytes } };
    expect(removalRefusals(facts, []).length > 0).toBe(isRefused);
  },
);

function cgroup(changes: Partial<SwappedCgroup>): SwappedCgroup {
  const limit = { limitBytes: 100 * MI, limitFile: "memory.max" } as const;
  return { name: "container 1 of pod 2", swapBytes: 50 * MI, residentBytes: 40 * MI, ...limit, ...changes };
}

test.each<[string, readonly SwappedCgroup[], number, string | undefined]>([
  ["it fits, with a twentieth to spare", [cgroup({ swapBytes: 55 * MI })], GI, undefined],
  [
    "an OOM kill would follow",
    [cgroup({ swapBytes: 56 * MI })],
    GI,
    "container 1 of pod 2 would have 96 MiB with a memory.max of 100 MiB",
  ],
  [
    "it would be throttled permanently",
    [cgroup({ swapBytes: 90 * MI, limitFile: "memory.high" })],
    GI,
    "container 1 of pod 2 would have 130 MiB with a memory.high of 100 MiB",
  ],
  ["most of it is in other swap", [cgroup({ swapBytes: 90 * MI })], 10 * MI, undefined],
  [
    "some fit, and some do not",
    [cgroup({ name: "a", swapBytes: GI }), cgroup({ name: "b" }), cgroup({ name: "c", swapBytes: GI })],
    GI,
    "a would have 1 GiB with a memory.max of 100 MiB, c would have 1 GiB with a memory.max of 100 MiB",
  ],
])("swap is turned off only if each cgroup can take its own: %s", (_, cgroups, usedBytes, complaint) => {
  const refusals = removalRefusals({ memory: AMPLE, active: { ...AREA, usedBytes } }, cgroups);
  const whole = `the swap on /dev/sda2 cannot be turned off: what is swapped out would not fit below memory limits: ${complaint}; move pods away first (kubectl drain)`;
  expect(refusals).toEqual(complaint === undefined ? [] : [whole]);
});

test("nothing is turned off without swap, or in an image", () => {
  const cgroups = [cgroup({ swapBytes: GI })];
  expect(removalRefusals({ memory: AMPLE, active: undefined }, cgroups)).toEqual([]);
  expect(removalRefusals({ memory: undefined, active: undefined }, cgroups)).toEqual([]);
});
