import { dirname } from "node:path";
import type { SwapTarget } from "../engine/options.ts";
import type { CommandStep, Step } from "../engine/step.ts";
import { reloadUnits, type Unit, unitSteps } from "../engine/systemd-unit.ts";
import { temporaryPathOf } from "./file-script.ts";
import { SWAP_LABEL, SWAP_SCRIPT_PATH, swapScript } from "./script.ts";
import type { SwapSpec } from "./spec.ts";
import { unitNameOf } from "./unit-name.ts";
import { ZRAM_PRIORITY } from "./zram-script.ts";

/** Files that set up a node's swap at each boot: a script and the systemd units that run it. */
export interface SwapSetup {
  readonly script: { readonly path: string; readonly text: string };
  readonly units: readonly Unit[];
  /** Unit that turns the swap on. */
  readonly unitToStart: string;
  readonly priority: number | undefined;
  /** Files that the script makes and removes. */
  readonly files: readonly string[];
}

const SERVICE = "wasp-swap.service";
const SWAP_TARGET = "swap.target";

/** Returns the script and units for swap; undefined for a path without a unit name. */
export function swapSetup(spec: SwapSpec): SwapSetup | undefined {
  return spec.target.kind === "zram" ? zramSetup(spec) : areaSetup(spec, spec.target);
}

function zramSetup(spec: SwapSpec): SwapSetup {
  return {
    script: { path: SWAP_SCRIPT_PATH, text: swapScript(spec, [SERVICE]) },
    units: [serviceUnit("Swap in compressed memory", [], SWAP_TARGET)],
    unitToStart: SERVICE,
    priority: spec.priority ?? ZRAM_PRIORITY,
    files: [],
  };
}

function areaSetup(spec: SwapSpec, target: Exclude<SwapTarget, { kind: "zram" }>): SwapSetup | undefined {
  const area = areaOf(target);
  const name = unitNameOf(area, "swap");
  const device = unitNameOf(target.path, "device");
  if (name === undefined || device === undefined) return undefined;
  const needs =
    target.kind === "file"
      ? [`RequiresMountsFor=${dirname(target.path)}`]
      : [`BindsTo=${device}`, `After=${device}`];
  return {
    script: { path: SWAP_SCRIPT_PATH, text: swapScript(spec, [name, SERVICE]) },
    units: [serviceUnit("Make the swap area", needs, undefined), swapUnit(name, area, spec.priority)],
    unitToStart: name,
    priority: spec.priority,
    files: target.kind === "file" ? [target.path, temporaryPathOf(target.path)] : [],
  };
}

/** Returns the path that the kernel swaps to. */
function areaOf(target: Exclude<SwapTarget, { kind: "zram" }>): string {
  return target.kind === "device" && target.isEncrypted ? `/dev/mapper/${SWAP_LABEL}` : target.path;
}

// Not after local-fs.target: with a tmpfs on /tmp, which is ordered after swap.target, that would be a cycle.
function serviceUnit(description: string, needs: readonly string[], wantedBy: string | undefined): Unit {
  const lines = [
    "[Unit]",
    `Description=${description} (wasp)`,
    "DefaultDependencies=no",
    ...needs,
    "After=systemd-remount-fs.service",
    // A zram device ends with the kernel: it needs no release at shutdown.
    ...(wantedBy === undefined
      ? ["Conflicts=shutdown.target", "Before=shutdown.target"]
      : [`Before=${wantedBy}`]),
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=/bin/sh ${SWAP_SCRIPT_PATH} make`,
    `ExecStop=/bin/sh ${SWAP_SCRIPT_PATH} release`,
    ...(wantedBy === undefined ? [] : ["", "[Install]", `WantedBy=${wantedBy}`]),
  ];
  return { name: SERVICE, text: `${lines.join("\n")}\n`, wantedBy };
}

function swapUnit(name: string, area: string, priority: number | undefined): Unit {
  const lines = [
    "[Unit]",
    "Description=Swap of this node (wasp)",
    `Requires=${SERVICE}`,
    `After=${SERVICE}`,
    "",
    "[Swap]",
    // A percent sign would begin a specifier.
    `What=${area.replaceAll("%", "%%")}`,
    ...(priority === undefined ? [] : [`Priority=${priority}`]),
    "",
    "[Install]",
    `WantedBy=${SWAP_TARGET}`,
  ];
  return { name, text: `${lines.join("\n")}\n`, wantedBy: SWAP_TARGET };
}

/** Returns the steps that set swap up: script, units and, if the swap is not active, the commands that start it. */
export function setupSteps(
  setup: SwapSetup,
  { isOn, why }: { readonly isOn: boolean; readonly why: string | undefined },
): readonly Step[] {
  const { script, units } = setup;
  const scriptWhy = "makes the swap at each boot, and removes it on uninstall";
  return [
    { part: "swap", kind: "file", path: script.path, text: script.text, mode: 0o644, why: scriptWhy },
    ...units.flatMap((unit) => unitSteps("swap", unit)),
    reloadUnits("swap"),
    ...(isOn ? [] : startCommands(setup, why)),
  ];
}

// The unit runs the script too. It is run directly first, so that its error messages appear here instead of only in the
// system journal.
function startCommands(
  { script, files, unitToStart }: SwapSetup,
  why: string | undefined,
): readonly CommandStep[] {
  const make: CommandStep = {
    part: "swap",
    kind: "command",
    argv: ["/bin/sh", script.path, "make"],
    when: "always",
    undo: { argv: ["/bin/sh", script.path, "remove"], order: "first", removes: files },
  };
  return [
    why === undefined ? make : { ...make, why },
    { part: "swap", kind: "command", argv: ["systemctl", "start", unitToStart], when: "always" },
  ];
}
