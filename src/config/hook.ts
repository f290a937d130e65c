import * as v from "valibot";
import { POD_OVERRIDES, SWAP_BEHAVIORS, WORKLOADS } from "../policy/swap-limit.ts";
import { HOOK_DEFAULTS, type HookConfig } from "./hook-defaults.ts";
import {
  AbsolutePathSchema,
  complaintOf,
  flagName,
  NamespacePatternSchema,
  QuantitySchema,
  RootSchema,
} from "./knobs.ts";

/** Every knob of `wasp hook`, with its default and what it is for. */
export const HookConfigSchema = v.strictObject({
  swapBehavior: v.pipe(
    v.optional(v.picklist(SWAP_BEHAVIORS), HOOK_DEFAULTS.swapBehavior),
    v.description("Swap for each container: none, the kubelet's share, or without a limit"),
  ),
  workloads: v.pipe(
    v.optional(v.picklist(WORKLOADS), HOOK_DEFAULTS.workloads),
    v.description("Which pods may swap: all Burstable ones, or only KubeVirt's virtual machines"),
  ),
  podOverrides: v.pipe(
    v.optional(v.picklist(POD_OVERRIDES), HOOK_DEFAULTS.podOverrides),
    v.description("What a pod's annotation wasp.io/swap-limit may do to its limit"),
  ),
  excludeNamespaces: v.pipe(
    v.optional(v.array(NamespacePatternSchema), [...HOOK_DEFAULTS.excludeNamespaces]),
    v.description("A namespace whose pods get no swap, with a trailing * for any ending; repeatable"),
  ),
  systemReservedSwapBytes: v.pipe(
    v.optional(QuantitySchema, String(HOOK_DEFAULTS.systemReservedSwapBytes)),
    v.description("Swap that is kept for the system, a quantity such as 512Mi"),
  ),
  dryRun: v.pipe(
    v.optional(v.boolean(), HOOK_DEFAULTS.dryRun),
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
  const flag = flagName(String(issue.path?.[0]?.key));
  return new Error(`--${flag}: ${JSON.stringify(issue.input)} ${complaintOf(issue)}`);
}
