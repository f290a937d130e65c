import { WRITTEN_BY } from "../engine/drop-in.ts";
import type { Step } from "../engine/step.ts";
import { unitSteps } from "../engine/systemd-unit.ts";

// As the OpenShift enhancement for higher workload density has it.
const LATENCY = "50ms";

/** Settings of system.slice that have the disks of these paths serve it first, as `systemctl set-property` takes them. */
export function latencySettings(paths: readonly string[], latency: string = LATENCY): readonly string[] {
  return paths.map((path) => `IODeviceLatencyTargetSec=${path} ${latency}`);
}

/** The same, as a file of systemd's has them. */
export function latencyLines(paths: readonly string[]): readonly string[] {
  return latencySettings(paths).map(escapeInFile);
}

/**
 * The disks that swap is on, by path. Swap in memory has none; that of a file is on the disk of its folder, which is
 * there before the file.
 */
export function latencyPaths(swaps: readonly string[]): readonly string[] {
  const onDisk = swaps.filter((path) => !/^\/dev\/zram\d+$/.test(path));
  const paths = onDisk.map((path) =>
    path.startsWith("/dev/") ? path : path.slice(0, path.lastIndexOf("/")) || "/",
  );
  return [...new Set(paths)];
}

const UNIT = "wasp-io-latency.service";

/** A unit that says the settings again once the disks are there: when system.slice comes, most have no name yet. */
export function latencyUnitSteps(paths: readonly string[]): readonly Step[] {
  if (paths.length === 0) return [];
  const why = "the slice is made before the disk has its name, and takes nothing from its drop-in later";
  return unitSteps("system-slice", { name: UNIT, text: unitText(paths), wantedBy: "multi-user.target", why });
}

function unitText(paths: readonly string[]): string {
  // A dollar sign begins a variable there.
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

// udev's names have escapes of their own, and a percent sign begins a specifier.
function escapeInFile(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("%", "%%");
}
