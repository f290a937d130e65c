/** How bad what was found is, the worst first. */
export const SEVERITIES = ["error", "warning", "unknown", "note", "ok"] as const;

/**
 * How bad what was found is. "error": wasp does not do its work here, or the next start of a service fails. "warning":
 * it works, and something that protects the node or its pods is missing. "unknown": it could not be found out. "note":
 * worth knowing.
 */
export type Severity = (typeof SEVERITIES)[number];

/** What a check is about. */
export type FindingId =
  | "kernel"
  | "cgroup-version"
  | "swap-controller"
  | "pressure"
  | "swap"
  | "swap-size"
  | "swap-after-boot"
  | "swap-disk"
  | "swap-encryption"
  | "swap-priority"
  | "zswap"
  | "swappiness"
  | "tmpfs-noswap"
  | "binary"
  | "binary-owner"
  | "runtime"
  | "nri"
  | "hook"
  | "hook-owner"
  | "hook-loaded"
  | "hooks-valid"
  | "system-slice"
  | "system-slice-after-boot"
  | "io-latency"
  | "io-latency-after-boot"
  | "kubelet"
  | "kubelet-fail-swap-on"
  | "kubelet-swap-behavior"
  | "restart"
  | "swap-reach"
  | "agent"
  | "wasp-agent"
  | "systemd-oomd"
  | "earlyoom";

/** What a check found. */
export interface Finding {
  readonly id: FindingId;
  readonly severity: Severity;
  readonly found: string;
  /** What it should be. */
  readonly right: string;
  /** A command or a setting that makes it so; undefined where nothing has to be done. */
  readonly remedy: string | undefined;
}

/** The exit status where nothing is worse than a note. */
export const EXIT_SOUND = 0;
/** The exit status where something is an error. */
export const EXIT_ERRORS = 1;
/** The exit status where nothing is an error, and something a warning or unknown; 2 is that of a wrong command line. */
export const EXIT_WARNINGS = 3;

/** The exit status that tells of findings: of the worst of them. */
export function exitStatusOf(findings: readonly Finding[]): number {
  const severities = new Set(findings.map(({ severity }) => severity));
  if (severities.has("error")) return EXIT_ERRORS;
  return severities.has("warning") || severities.has("unknown") ? EXIT_WARNINGS : EXIT_SOUND;
}
