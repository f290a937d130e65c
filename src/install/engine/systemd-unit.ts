import type { Part } from "./part.ts";
import type { CommandStep, Step } from "./step.ts";

/** Folder of the administrator's systemd units. */
const UNITS_FOLDER = "/etc/systemd/system";

/** A systemd unit of wasp. */
export interface Unit {
  readonly name: string;
  readonly text: string;
  /** Target that starts it; undefined for a unit that other units start. */
  readonly wantedBy: string | undefined;
  readonly why?: string;
}

/** Returns the steps that write a unit and enable it. */
export function unitSteps(part: Part, { name, text, wantedBy, ...rest }: Unit): readonly Step[] {
  const path = `${UNITS_FOLDER}/${name}`;
  const link = `${UNITS_FOLDER}/${wantedBy}.wants/${name}`;
  return [
    { kind: "file", part, path, text, mode: 0o644, ...rest },
    ...(wantedBy === undefined ? [] : [{ kind: "link", part, path: link, target: path } as const]),
  ];
}

/** Returns the command that reloads systemd's units, as its own undo too. */
export function reloadUnits(part: Part, when: CommandStep["when"] = "changed"): CommandStep {
  const argv = ["systemctl", "daemon-reload"];
  return { kind: "command", part, argv, when, undo: { argv, order: "last" } };
}

/** Returns the command that restarts a unit once a preceding step of its part changed something. */
export function restartUnit(part: Part, unit: string): CommandStep {
  return { kind: "command", part, argv: ["systemctl", "restart", unit], when: "changed" };
}
