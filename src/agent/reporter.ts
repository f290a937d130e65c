import type { Event, Fields } from "../log.ts";
import type { Level, Logger } from "./logger.ts";
import type { AgentMetrics } from "./metrics.ts";
import type { Repeats } from "./repeats.ts";

/** Events that are not written at the level of information. */
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
};

/** Writes the agent's events to its log and counts them for its metrics. */
export class Reporter {
  readonly #logger: Logger;
  readonly #metrics: AgentMetrics;
  readonly #repeats: Repeats;

  constructor(logger: Logger, metrics: AgentMetrics, repeats: Repeats) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#repeats = repeats;
  }

  /** Reports something that happened, after so many writes of limits. */
  tell(event: Event, fields: Fields, writes = 0): void {
    this.#metrics.count(event, writes);
    this.#logger.event(LEVELS[event] ?? "info", event, fields);
  }

  /**
   * Reports a condition that lasts, which is written when it begins, when the fields that tell of it change, and now and
   * then; what moves all the time goes into figures.
   */
  meet(event: Event, fields: Fields, figures: Fields = {}): void {
    this.#metrics.count(event, 0);
    const unwritten = this.#repeats.meet(event, JSON.stringify(fields));
    if (unwritten === undefined) return;
    const times = unwritten === 0 ? undefined : unwritten;
    this.#logger.event(LEVELS[event] ?? "info", event, { ...fields, ...figures, unwritten: times });
  }

  /** Reports by an event that the condition of another one is over, if it was there. */
  end(event: Event, condition: Event): void {
    if (this.#repeats.end(condition) !== undefined) this.tell(event, {});
  }
}
