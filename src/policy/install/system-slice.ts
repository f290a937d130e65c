import { DROP_IN, WRITTEN_BY } from "./drop-in.ts";
import type { PartPlan } from "./plan.ts";

/** What there is to know before system.slice is protected. */
export interface SystemSliceFacts {
  /** What swap is on, or will be: files and block devices of the host. */
  readonly swaps: readonly string[];
  /** Whether the kernel can hold a cgroup's io.latency; undefined where it does not tell. */
  readonly hasIoLatency: boolean | undefined;
}

// As the OpenShift enhancement for higher workload density has it.
const LATENCY = "50ms";

/** The systemd drop-in that protects the node's own services. */
export const SYSTEM_SLICE_DROP_IN = `/etc/systemd/system/system.slice.d/${DROP_IN}`;

/** Plans the protection of the node's own services: they do not swap, and the disk serves them before the swapping pods. */
export function planSystemSlice({ swaps, hasIoLatency }: SystemSliceFacts): PartPlan {
  const part = "system-slice";
  const latencyOf = latencyPaths(swaps);
  const reload = ["systemctl", "daemon-reload"];
  return {
    part,
    steps: [
      {
        kind: "file",
        part,
        path: SYSTEM_SLICE_DROP_IN,
        text: dropIn(hasIoLatency === false ? [] : latencyOf),
        mode: 0o644,
        why: "the node's own services do not swap, and wait for the disk less than the pods that do",
      },
      { kind: "command", part, argv: reload, when: "changed", undo: { argv: reload, order: "last" } },
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

/** Swap in memory has no disk to wait for; that of a file is on the disk of its folder, which is there before the file. */
function latencyPaths(swaps: readonly string[]): readonly string[] {
  const onDisk = swaps.filter((path) => !/^\/dev\/zram\d+$/.test(path));
  const paths = onDisk.map((path) =>
    path.startsWith("/dev/") ? path : path.slice(0, path.lastIndexOf("/")) || "/",
  );
  return [...new Set(paths)];
}

function dropIn(latencyOf: readonly string[]): string {
  return [
    WRITTEN_BY,
    "[Slice]",
    "MemorySwapMax=0",
    ...latencyOf.map((path) => `IODeviceLatencyTargetSec=${path} ${LATENCY}`),
    "",
  ].join("\n");
}
