import { DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { PartPlan } from "../engine/plan.ts";
import type { CommandStep } from "../engine/step.ts";
import { reloadUnits } from "../engine/systemd-unit.ts";
import { latencyLines, latencyPaths, latencySettings, latencyUnitSteps } from "./io-latency.ts";

/** What there is to know before system.slice is protected. */
export interface SystemSliceFacts {
  /** What swap is on, or will be: files and block devices of the host. */
  readonly swaps: readonly string[];
  /** Whether the kernel can hold a cgroup's io.latency; undefined where it does not tell. */
  readonly hasIoLatency: boolean | undefined;
  /** Whether the kernel keeps the slice from swapping; undefined where it does not tell. */
  readonly isSwapDenied: boolean | undefined;
  /** Whether the kernel has a target of io.latency for the slice; undefined where it does not tell. */
  readonly hasLatencyTarget: boolean | undefined;
}

/** The systemd drop-in that protects the node's own services. */
export const SYSTEM_SLICE_DROP_IN = `/etc/systemd/system/system.slice.d/${DROP_IN}`;

/** Plans the protection of the node's own services: they do not swap, and the disk serves them before the swapping pods. */
export function planSystemSlice(facts: SystemSliceFacts): PartPlan {
  const { swaps, hasIoLatency } = facts;
  const part = "system-slice";
  const latencyOf = latencyPaths(swaps);
  const when = isInForce(facts, latencyOf) ? "changed" : "always";
  return {
    part,
    steps: [
      {
        kind: "file",
        part,
        path: SYSTEM_SLICE_DROP_IN,
        // Without io.latency too, which is known for certain only once systemd was told: the kernel lets it be.
        text: dropIn(latencyOf),
        mode: 0o644,
        why: "the node's own services do not swap, and wait for the disk less than the pods that do",
      },
      ...latencyUnitSteps(latencyOf),
      applyCommand(latencyOf, when),
      reloadUnits(part, when),
    ],
    refusals: [],
    notes:
      hasIoLatency === false && latencyOf.length > 0
        ? [
            "this kernel has no io.latency (CONFIG_BLK_CGROUP_IOLATENCY): swapping pods can slow the node's services' disk",
          ]
        : [],
  };
}

function isInForce(
  { isSwapDenied, hasLatencyTarget }: SystemSliceFacts,
  latencyOf: readonly string[],
): boolean {
  return isSwapDenied !== false && (latencyOf.length === 0 || hasLatencyTarget !== false);
}

const CONTROL = "/run/systemd/system.control/system.slice.d";

// The files that systemd keeps for it would count for more than any drop-in.
const APPLY = `systemctl set-property --runtime system.slice "$@" && rm -f ${CONTROL}/50-MemorySwapMax.conf ${CONTROL}/50-IODeviceLatencyTarget*Sec.conf`;

/** A slice that is there already takes nothing from a file that is read again, neither when it comes nor when it goes. */
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
    why: "at once: a reload is for slices that come later",
    undo: { argv: argv("infinity", "infinity"), order: "first" },
  };
}

function dropIn(latencyOf: readonly string[]): string {
  return [WRITTEN_BY, "[Slice]", "MemorySwapMax=0", ...latencyLines(latencyOf), ""].join("\n");
}
