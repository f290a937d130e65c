import { applicable } from "../engine/applicable.ts";
import { DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";
import type { CommandStep } from "../engine/step.ts";
import { reloadUnits } from "../engine/systemd-unit.ts";
import { latencyLines, latencyPaths, latencySettings, latencyUnitSteps } from "./io-latency.ts";

/** Facts by which the protection of system.slice is planned. */
export interface SystemSliceFacts {
  /** Present and planned swap areas: files and block devices of the host. */
  readonly swaps: readonly string[];
  /** True if the kernel supports io.latency for cgroups; undefined where that is not known. */
  readonly hasIoLatency: boolean | undefined;
  /** True if the slice has a swap limit of 0 in force; undefined where that is not known. */
  readonly isSwapDenied: boolean | undefined;
  /** True if the slice has an io.latency target in force; undefined where that is not known. */
  readonly hasLatencyTarget: boolean | undefined;
}

/** Path of the systemd drop-in that protects the node's own services. */
export const SYSTEM_SLICE_DROP_IN = `/etc/systemd/system/system.slice.d/${DROP_IN}`;

/** Plans the protection of the node's own services: they do not swap, and the disk serves them before swapping pods. */
export function planSystemSlice(facts: SystemSliceFacts): PartPlan {
  const { swaps, hasIoLatency } = facts;
  const part = "system-slice";
  const latencyOf = latencyPaths(swaps);
  const when = isInForce(facts, latencyOf) ? "changed" : "always";
  return partPlan(part, {
    steps: [
      {
        kind: "file",
        part,
        path: SYSTEM_SLICE_DROP_IN,
        // Even if the kernel seems to have no io.latency: only systemd's attempt shows it, and a failed one does no harm.
        text: dropIn(latencyOf),
        mode: 0o644,
        why: "the node's own services do not swap, and the disk serves them before swapping pods",
      },
      ...latencyUnitSteps(latencyOf),
      applyCommand(latencyOf, when),
      reloadUnits(part, when),
    ],
    notes: applicable(
      hasIoLatency === false &&
        latencyOf.length > 0 &&
        "this kernel has no io.latency (CONFIG_BLK_CGROUP_IOLATENCY): swapping pods can slow the disk of the node's services",
    ),
  });
}

function isInForce(
  { isSwapDenied, hasLatencyTarget }: SystemSliceFacts,
  latencyOf: readonly string[],
): boolean {
  return isSwapDenied !== false && (latencyOf.length === 0 || hasLatencyTarget !== false);
}

const CONTROL = "/run/systemd/system.control/system.slice.d";

// systemd's own files for runtime settings would override the drop-in.
const APPLY = `systemctl set-property --runtime system.slice "$@" && rm -f ${CONTROL}/50-MemorySwapMax.conf ${CONTROL}/50-IODeviceLatencyTarget*Sec.conf`;

/** Applies the settings to the existing slice: a reload applies a file neither when it is added nor when it is removed. */
function applyCommand(latencyOf: readonly string[], when: CommandStep["when"]): CommandStep {
  const argv = (swapMax: string, latency?: string) => [
    ...["/bin/sh", "-c", APPLY, "sh", `MemorySwapMax=${swapMax}`],
    ...latencySettings(latencyOf, latency),
  ];
  return {
    kind: "command",
    part: "system-slice",
    argv: argv("0"),
    when,
    why: "takes effect at once; a reload affects only slices that start later",
    undo: { argv: argv("infinity", "infinity"), order: "first" },
  };
}

function dropIn(latencyOf: readonly string[]): string {
  return [WRITTEN_BY, "[Slice]", "MemorySwapMax=0", ...latencyLines(latencyOf), ""].join("\n");
}
