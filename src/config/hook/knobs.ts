import * as v from "valibot";
import { flagComplaint } from "../complaint.ts";
import { knob } from "../knob.ts";
import { SWAP_LIMIT_KNOBS } from "../swap-limit-knobs.ts";
import { AbsolutePathSchema, RootSchema, SwitchSchema } from "../value-schemas.ts";
import { HOOK_DEFAULTS, type HookConfig } from "./defaults.ts";

/** Knobs of `wasp hook`, with their defaults and descriptions. */
export const HookConfigSchema = v.strictObject({
  ...SWAP_LIMIT_KNOBS,
  dryRun: knob(SwitchSchema, HOOK_DEFAULTS.dryRun, "Decide and log, without writing a limit"),
  logFile: knob(
    AbsolutePathSchema,
    HOOK_DEFAULTS.logFile,
    "Append log lines to this file instead of the kernel's log",
  ),
  fsroot: knob(RootSchema, `${HOOK_DEFAULTS.fsroot}/`, "Root folder of the host's /proc, /sys and bundles"),
});

/** Completes the configuration with defaults; throws an Error for an invalid value. */
export function hookConfig(set: Readonly<Record<string, unknown>>): HookConfig {
  const result = v.safeParse(HookConfigSchema, set);
  if (!result.success) throw new Error(flagComplaint(result.issues[0]));
  return Object.freeze({ logFile: undefined, ...result.output });
}
