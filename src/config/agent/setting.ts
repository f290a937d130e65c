import type { AgentKnob } from "./knobs.ts";

/** Where a knob's value comes from: `default`, `file /etc/wasp/config.yaml`, `environment NODE_NAME`, `flag --dry-run`. */
export type Source = string;

/** A knob as somebody set it, before anyone looked whether it can be that. */
export interface Setting {
  readonly knob: AgentKnob;
  readonly value: unknown;
  /** What a complaint about it begins with: a file's line and field, a variable, a flag. */
  readonly place: string;
  readonly source: Source;
}
