import { type Event, type Fields, levelOf } from "../../log/events.ts";
import type { Logger } from "../../log/logger.ts";
import { Repeats } from "../../log/repeats.ts";
import type { AgentMetrics } from "./metrics.ts";

/** Conditions whose end is reported, each with the event that reports it. */
const ENDS = {
  "certificate-refused": "certificate-accepted",
  "event-unrecorded": "event-recorded",
  "kubelet-config-unknown": "kubelet-config-known",
  "node-unknown": "node-known",
  "node-unmarked": "node-marked",
  "node-unwatched": "node-watched",
  "pods-unknown": "pods-known",
  "swap-reach-failed": "swap-reach-regained",
  "swap-reach-left": "swap-reach-taken",
} as const satisfies Partial<Record<Event, Event>>;

/** Writes the agent's events to its log and counts them in its metrics. */
export class Reporter {
  readonly #logger: Logger;
  readonly #metrics: AgentMetrics;
  readonly #repeats = new Repeats(() => performance.now());

  constructor(logger: Logger, metrics: AgentMetrics) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** Logs an event; `writes` is the number of limits that were written for it. */
  readonly log = (event: Event, fields: Fields, writes = 0): void => {
    this.#metrics.count(event, writes);
    this.#logger.event(levelOf(event), event, fields);
  };

  /**
   * Reports that a condition began or still lasts. It is logged when it begins, when its error changes, and every ten
   * minutes; `figures` change all the time and do not count as a change.
   */
  begin(condition: Event, error: string, figures: Fields = {}): void {
    this.#metrics.count(condition, 0);
    const unlogged = this.#repeats.begin(condition, error);
    if (unlogged === undefined) return;
    const unwritten = unlogged === 0 ? undefined : unlogged;
    this.#logger.event(levelOf(condition), condition, { error, ...figures, unwritten });
  }

  /** Reports that a condition is over, if it had begun. */
  end(condition: keyof typeof ENDS): void {
    if (this.#repeats.end(condition) !== undefined) this.log(ENDS[condition], {});
  }
}
