import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";

/** Configuration of `wasp hook`. */
export interface HookConfig extends SwapLimitConfig {
  /** True to decide and log, without writing a limit. */
  readonly dryRun: boolean;
  /** Log file; undefined for the kernel's log. */
  readonly logFile: string | undefined;
  /** Root folder of the host's /proc, /sys and bundles, without a slash at the end. */
  readonly fsroot: string;
}

/**
 * Configuration of `wasp hook` without flags. It is in a file of its own because loading the library of the flags'
 * schema takes a quarter of the hook's time, which a hook without flags saves.
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
