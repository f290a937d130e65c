import { install } from "../finding/remedy.ts";
import { checksOn, ok, warning } from "../finding/rule.ts";
import type { BlockStack } from "../swap/areas.ts";
import type { SwapCheckFacts } from "../swap/rules.ts";
import { isLasting, unitSettings } from "../target/unit-settings.ts";
import type { SystemSliceCheckFacts } from "./rules.ts";

const check = checksOn<SwapCheckFacts & SystemSliceCheckFacts>();

/** Requires that the disk with swap serves the node's own services first. */
export const ioLatency = check({
  id: "io-latency",
  needs: ["systemSlice", "swaps", "swapStacks"],
  right:
    "system.slice has an io.latency target for the disk with swap: swapping then waits for the node's own services",
  judge: ({ systemSlice, swaps, swapStacks }) => {
    const onDisk = swaps.filter(({ name }) => (swapStacks.get(name)?.disks.length ?? 0) > 0);
    if (systemSlice === undefined || onDisk.length === 0) return undefined;
    const { ioLatency } = systemSlice;
    if (ioLatency === undefined)
      return warning(
        "system.slice has no io.latency: the kernel lacks it, or its io controller is off",
        `${install("system-slice")}; the kernel needs CONFIG_BLK_CGROUP_IOLATENCY`,
      );
    const bare = onDisk.filter(({ name }) => !hasTarget(ioLatency, swapStacks.get(name)));
    return bare.length === 0
      ? ok(ioLatency.trim().replaceAll("\n", "; "))
      : warning(
          `no io.latency target for the disk of ${bare.map(({ name }) => name).join(", ")}`,
          install("system-slice"),
        );
  },
});

// As in `254:0 target=50000`, in microseconds.
function hasTarget(ioLatency: string, stack: BlockStack | undefined): boolean {
  const targets = new Map(
    [...ioLatency.matchAll(/^(\d+:\d+) .*\btarget=(\d+)/gm)].map(([, at, us]) => [at, us]),
  );
  return stack?.numbers.some((number) => (targets.get(number) ?? "0") !== "0") ?? false;
}

/** Requires that it does so after a restart of the node too. */
export const ioLatencyAfterBoot = check({
  id: "io-latency-after-boot",
  needs: ["systemSliceFiles", "swaps", "swapStacks"],
  right: "a drop-in of system.slice has IODeviceLatencyTargetSec",
  judge: ({ systemSliceFiles, swaps, swapStacks }) => {
    if (!swaps.some(({ name }) => (swapStacks.get(name)?.disks.length ?? 0) > 0)) return undefined;
    const settings = unitSettings(systemSliceFiles, "Slice", "IODeviceLatencyTargetSec");
    const last = settings.findLast(({ path }) => isLasting(path));
    return last === undefined
      ? warning("no file of system.slice that lasts sets IODeviceLatencyTargetSec", install("system-slice"))
      : ok(`IODeviceLatencyTargetSec=${last.value} in ${last.path}`);
  },
});
