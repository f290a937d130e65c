import { dirname } from "node:path";
import { WRITTEN_BY } from "../engine/drop-in.ts";
import type { Step } from "../engine/step.ts";
import { unitSteps } from "../engine/systemd-unit.ts";

// As in the OpenShift enhancement for higher workload density.
const LATENCY_TARGET = "50ms";

/** Returns io.latency targets for the disks of these paths, as `systemctl set-property` takes them. */
export function latencySettings(
  paths: readonly string[],
  latency: string = LATENCY_TARGET,
): readonly string[] {
  return paths.map((path) => `IODeviceLatencyTargetSec=${path} ${latency}`);
}

/** Returns io.latency targets for the disks of these paths, as lines of a unit file. */
export function latencyLines(paths: readonly string[]): readonly string[] {
  return latencySettings(paths).map(escapeInFile);
}

/**
 * Returns a path for each disk that has swap. Swap on zram has none. A swap file is represented by its folder, which
 * exists before the file.
 */
export function latencyPaths(swaps: readonly string[]): readonly string[] {
  const onDisk = swaps.filter((path) => !/^\/dev\/zram\d+$/.test(path));
  const paths = onDisk.map((path) => (path.startsWith("/dev/") ? path : dirname(path)));
  return [...new Set(paths)];
}

const UNIT = "wasp-io-latency.service";

/** Returns the steps for a unit that repeats the settings at boot: when system.slice starts, most disks have no name yet. */
export function latencyUnitSteps(paths: readonly string[]): readonly Step[] {
  if (paths.length === 0) return [];
  const why = "the slice starts before the disk has its name, and does not read its drop-in again";
  return unitSteps("system-slice", { name: UNIT, text: unitText(paths), wantedBy: "multi-user.target", why });
}

function unitText(paths: readonly string[]): string {
  // In ExecStart, a dollar sign begins a variable.
  const words = latencyLines(paths).map((line) => `"${line.replaceAll('"', '\\"').replaceAll("$", "$$$$")}"`);
  return `${WRITTEN_BY}
[Unit]
Description=Have the disk serve the node's own services first (wasp)
Before=kubelet.service

[Service]
Type=oneshot
ExecStart=/bin/systemctl set-property --runtime system.slice ${words.join(" ")}

[Install]
WantedBy=multi-user.target
`;
}

// Names from udev have backslash escapes, and a percent sign begins a specifier.
function escapeInFile(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("%", "%%");
}
