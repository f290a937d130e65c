import type { AgentKnob } from "./knobs.ts";

/** Source of a knob's value: `default`, `file /etc/wasp/config.yaml`, `environment NODE_NAME`, `flag --dry-run`. */
export type KnobSource = string;

/** Value of a knob as it was set, not yet validated. */
export interface KnobSetting {
  readonly knob: AgentKnob;
  readonly value: unknown;
  /** Start of a complaint about it: a file's line and field, a variable, or a flag. */
  readonly place: string;
  readonly source: KnobSource;
}
