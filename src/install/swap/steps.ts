import type { CommandStep, Step } from "../engine/step.ts";
import { reloadUnits, unitSteps } from "../engine/systemd-unit.ts";
import type { SwapSetup } from "./setup.ts";

const PART = "swap";

/** Returns the steps that set swap up: script, units and, if the swap is not active, the commands that start it. */
export function setupSteps(
  setup: SwapSetup,
  { isOn, why }: { readonly isOn: boolean; readonly why: string | undefined },
): readonly Step[] {
  const { script, units } = setup;
  const scriptWhy = "makes the swap at each boot, and removes it on uninstall";
  return [
    { part: PART, kind: "file", path: script.path, text: script.text, mode: 0o644, why: scriptWhy },
    ...units.flatMap((unit) => unitSteps(PART, unit)),
    reloadUnits(PART),
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
    part: PART,
    kind: "command",
    argv: ["/bin/sh", script.path, "make"],
    when: "always",
    undo: { argv: ["/bin/sh", script.path, "remove"], order: "first", removes: files },
  };
  return [
    why === undefined ? make : { ...make, why },
    { part: PART, kind: "command", argv: ["systemctl", "start", unitToStart], when: "always" },
  ];
}
