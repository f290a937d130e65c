/** Severities of findings, the worst first. */
export const SEVERITIES = ["error", "warning", "unknown", "note", "ok"] as const;

/**
 * Severity of a finding. "error": wasp does not work here, or the next start of a service fails. "warning": wasp works, but
 * a protection of the node or its pods is missing. "unknown": a fact could not be read. "note": worth knowing.
 */
export type Severity = (typeof SEVERITIES)[number];

/** Subject of a check. */
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
  | "container-cgroups"
  | "agent"
  | "wasp-agent"
  | "systemd-oomd"
  | "earlyoom";

/** Result of a check. */
export interface Finding {
  readonly id: FindingId;
  readonly severity: Severity;
  readonly found: string;
  /** The requirement. */
  readonly right: string;
  /** A command or a setting that corrects it; undefined where nothing has to be done. */
  readonly remedy: string | undefined;
}

/** Exit status without findings worse than a note. */
export const EXIT_SOUND = 0;
/** Exit status with an error. */
export const EXIT_ERRORS = 1;
/** Exit status without errors, but with a warning or an unknown; 2 is that of a wrong command line. */
export const EXIT_WARNINGS = 3;

/** Returns the exit status for the worst of these findings. */
export function exitStatusOf(findings: readonly Finding[]): number {
  const severities = new Set(findings.map(({ severity }) => severity));
  if (severities.has("error")) return EXIT_ERRORS;
  return severities.has("warning") || severities.has("unknown") ? EXIT_WARNINGS : EXIT_SOUND;
}
