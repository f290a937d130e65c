import type { Event } from "./events.ts";
import type { Level } from "./logger.ts";

const LEVELS: Partial<Record<Event, Level>> = {
  "swap-limit-kept": "debug",
  "swap-limit-left": "debug",
  "swap-limit-unmet": "warning",
  "swap-limit-below-usage": "warning",
  "swap-limit-failed": "warning",
  "swap-limit-contested": "warning",
  "node-swap-limit-failed": "warning",
  "stood-down": "warning",
  "pods-unknown": "warning",
  "pod-ignored": "warning",
  "kubelet-config-unknown": "warning",
  "kubelet-unverified": "warning",
  "certificate-refused": "warning",
  "node-unknown": "warning",
  "watch-failed": "warning",
  "config-refused": "error",
  "config-needs-restart": "warning",
  "variable-unused": "warning",
  "eviction-impossible": "error",
  "eviction-refused": "warning",
  "victim-overdue": "warning",
  "node-unmarked": "warning",
  "node-mark-restored": "warning",
  "node-mark-contested": "warning",
  "event-unrecorded": "warning",
  "swap-reach-failed": "warning",
  "swap-reach-left": "warning",
  "swap-reach-restored": "warning",
  "container-limits-left": "debug",
  "container-limits-failed": "warning",
  "container-refused": "warning",
  "annotation-ignored": "warning",
  "swap-limits-impossible": "warning",
  "config-doubtful": "warning",
  "nri-connected": "debug",
  "nri-waiting": "warning",
  "nri-request-failed": "warning",
  "nri-unreachable": "warning",
  "nri-refused": "error",
  "nri-disconnected": "warning",
  "nri-protocol-error": "error",
};

/** Returns the level of an event: `info` for everything that is expected to happen. */
export function levelOf(event: Event): Level {
  return LEVELS[event] ?? "info";
}
