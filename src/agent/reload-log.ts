import type { Reload } from "../config/agent/reload.ts";
import { fieldName } from "../config/knob-names.ts";
import type { LogEvent } from "../log/events.ts";

/** Logs the effect of a changed configuration file: fields in force, held by flags or variables, or awaiting a restart. */
export function logReload({ changed, overridden, awaitingRestart }: Reload, log: LogEvent): void {
  log("config-reloaded", { changed: changed.map(fieldName).join(", ") || "nothing" });
  for (const { knob, ...change } of overridden)
    log("config-overridden", { field: fieldName(knob), ...change });
  if (awaitingRestart.length > 0) log("config-needs-restart", { knobs: awaitingRestart.join(", ") });
}
