import * as v from "valibot";
import { SWAP_LIMIT_KNOBS } from "../swap-limit.ts";
import { AbsolutePathSchema, complaintOf, flagName, RootSchema, SwitchSchema } from "../value-schemas.ts";
import { HOOK_DEFAULTS, type HookConfig } from "./defaults.ts";

/** Every knob of `wasp hook`, with its default and what it is for. */
export const HookConfigSchema = v.strictObject({
  ...SWAP_LIMIT_KNOBS,
  dryRun: v.pipe(
    v.optional(SwitchSchema, HOOK_DEFAULTS.dryRun),
    v.description("Decide and log, but write no limit"),
  ),
  logFile: v.pipe(
    v.optional(AbsolutePathSchema, HOOK_DEFAULTS.logFile),
    v.description("Append log lines to this file instead of the kernel's log"),
  ),
  fsroot: v.pipe(
    v.optional(RootSchema, `${HOOK_DEFAULTS.fsroot}/`),
    v.description("Where the host's /proc, /sys and bundles are found"),
  ),
});

/** Fills the knobs that were not set with their defaults; throws for one that cannot be what it was set to. */
export function hookConfig(set: Readonly<Record<string, unknown>>): HookConfig {
  const result = v.safeParse(HookConfigSchema, set);
  if (!result.success) throw complaint(result.issues[0]);
  return Object.freeze({ logFile: undefined, ...result.output });
}

// Names the flag, the value and what is right.
function complaint(issue: v.BaseIssue<unknown>): Error {
  return new Error(`--${flagName(String(issue.path?.[0]?.key))}: ${complaintOf(issue)}`);
}
