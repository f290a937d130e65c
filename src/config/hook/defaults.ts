import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";

/** The configuration of `wasp hook`. */
export interface HookConfig extends SwapLimitConfig {
  /** Decide and log, but write no limit. */
  readonly dryRun: boolean;
  /** Where log lines go; undefined for the kernel's log. */
  readonly logFile: string | undefined;
  /** Where the host's /proc, /sys and bundles are found, without a slash at the end. */
  readonly fsroot: string;
}

/**
 * What `wasp hook` does without a flag. It stands apart from the schema of the flags because that schema's library
 * costs a quarter of the hook's time, which only those who give flags should pay.
 */
export const HOOK_DEFAULTS: HookConfig = Object.freeze({
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Lower",
  excludeNamespaces: ["kube-system", "openshift*"],
  systemReservedSwapBytes: 0,
  dryRun: false,
  logFile: undefined,
  fsroot: "",
});
