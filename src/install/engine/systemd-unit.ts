import type { Part } from "./part.ts";
import type { CommandStep, Step } from "./step.ts";

/** Where an administrator's units of systemd are. */
const UNITS_FOLDER = "/etc/systemd/system";

/** A unit of systemd that wasp makes. */
export interface Unit {
  readonly name: string;
  readonly text: string;
  /** The target that it is started with; undefined for one that others start. */
  readonly wantedBy: string | undefined;
  readonly why?: string;
}

/** The steps that make a unit, and have it started when the node is. */
export function unitSteps(part: Part, { name, text, wantedBy, ...told }: Unit): readonly Step[] {
  const path = `${UNITS_FOLDER}/${name}`;
  const link = `${UNITS_FOLDER}/${wantedBy}.wants/${name}`;
  return [
    { kind: "file", part, path, text, mode: 0o644, ...told },
    ...(wantedBy === undefined ? [] : [{ kind: "link", part, path: link, target: path } as const]),
  ];
}

/** Has systemd read its units, now and once what is made is gone. */
export function reloadUnits(part: Part, when: CommandStep["when"] = "changed"): CommandStep {
  const argv = ["systemctl", "daemon-reload"];
  return { kind: "command", part, argv, when, undo: { argv, order: "last" } };
}
