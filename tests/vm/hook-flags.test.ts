/** Effect of flags in the hook's definition. */
import { describe, expect, test } from "bun:test";
import {
  type ContainerSpec,
  effectiveLimit,
  installFlags,
  parseHookLog,
  startContainer,
} from "./container.ts";
import { startNode } from "./node.ts";
import { oomScoreAdjOf32MiB, podSlices, swapShares } from "./pods.ts";

interface Case {
  flags: string;
  name: string;
  spec: ContainerSpec;
  limitBytes: number;
  reason: string;
}

const guest = await startNode();
const shareOfSwap = await swapShares(guest);

const burstable = { cgroupParent: podSlices.Burstable, oomScoreAdj: oomScoreAdjOf32MiB };
const withoutSwap = { ...burstable, memory: "64m" };
const share = shareOfSwap(oomScoreAdjOf32MiB);

const cases: Case[] = [
  {
    flags: "--swap-behavior NoSwap",
    name: "denies swap to a Burstable container",
    spec: burstable,
    limitBytes: 0,
    reason: "swap-behavior",
  },
  {
    flags: "--swap-behavior UnlimitedSwap",
    name: "lifts the limit on every level",
    spec: withoutSwap,
    limitBytes: Number.POSITIVE_INFINITY,
    reason: "unlimited-swap",
  },
  {
    flags: "--workloads VirtualMachines",
    name: "denies swap to any other container",
    spec: burstable,
    limitBytes: 0,
    reason: "not-virtual-machine",
  },
  {
    flags: "--workloads VirtualMachines",
    name: "leaves a virtual machine its share",
    spec: { ...withoutSwap, annotations: { "kubevirt.io/domain": "vm" } },
    limitBytes: share,
    reason: "limited-swap",
  },
  {
    flags: "--pod-overrides Any",
    name: "allows a pod to request more",
    spec: { ...withoutSwap, annotations: { "wasp.io/swap-limit": "256Mi" } },
    limitBytes: 256 * 1024 ** 2,
    reason: "pod-override",
  },
  {
    flags: "--exclude-namespace def*",
    name: "denies swap to the namespace's containers",
    spec: burstable,
    limitBytes: 0,
    reason: "excluded-namespace",
  },
];

// Under crun, which has two levels of cgroups to write: tests/runc has the like under runc.
describe("under crun,", () => {
  test.each(cases)("$flags $name", async ({ flags, spec, limitBytes, reason }) => {
    const hooksFolder = await installFlags(guest, flags.split(" "));
    const container = await startContainer(guest, "crun", { ...spec, hooksFolder });
    expect(effectiveLimit(container)).toBe(limitBytes);
    expect(container.log).toEqual([
      expect.objectContaining({ event: "swap-limit-set", reason, id: container.id }),
    ]);
  });

  test("--dry-run logs the limit without writing it", async () => {
    const hooksFolder = await installFlags(guest, ["--dry-run"]);
    const { own, id, log } = await startContainer(guest, "crun", { ...withoutSwap, hooksFolder });
    // The second is crun's scope, whose swap limit equals its memory limit.
    expect(own.map(({ swapMaxBytes }) => swapMaxBytes)).toEqual([0, 64 * 1024 ** 2]);
    const [line] = log;
    expect(log).toHaveLength(1);
    expect(line).toMatchObject({
      event: "swap-limit-planned",
      reason: "limited-swap",
      id,
      effectiveBytes: "0",
    });
    expect(wholePages(Number(line?.["limitBytes"]))).toBe(share);
  });

  test("--log-file writes the line to a file instead of the kernel log", async () => {
    const file = "/run/wasp.log";
    const hooksFolder = await installFlags(guest, ["--log-file", file]);
    const { id, log } = await startContainer(guest, "crun", { ...withoutSwap, hooksFolder });
    expect(log).toEqual([]);
    const lines = await guest.must(`cat ${file}`);
    expect(lines).toMatch(/^\d{4}-\d\d-\d\dT\S+Z wasp\[\d+\]: hook: swap-limit-set .*\n$/);
    expect(parseHookLog(lines)).toEqual([expect.objectContaining({ reason: "limited-swap", id })]);
  });
});

function wholePages(bytes: number): number {
  return bytes - (bytes % 4096);
}
