import type { CommandStep, Step } from "../engine/step.ts";
import { reloadUnits, unitSteps } from "../engine/systemd-unit.ts";
import type { SwapSetup } from "./setup.ts";

const PART = "swap";

/** The steps that set swap up: its files, its unit in the start of the node, and, where it is not on, the commands. */
export function setupSteps(
  setup: SwapSetup,
  { isOn, why }: { readonly isOn: boolean; readonly why: string | undefined },
): readonly Step[] {
  const { script, units } = setup;
  const scriptWhy = "makes the swap at each start, and takes it away when it is to go";
  return [
    { part: PART, kind: "file", path: script.path, text: script.text, mode: 0o644, why: scriptWhy },
    ...units.flatMap((unit) => unitSteps(PART, unit)),
    reloadUnits(PART),
    ...(isOn ? [] : startCommands(setup, why)),
  ];
}

// The unit makes the swap too; done by itself first, what goes wrong is told here and not in the journal alone.
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
