import type { Event, Fields } from "../../log/events.ts";
import { levelOf } from "../../log/levels.ts";
import type { Logger } from "../../log/logger.ts";
import type { Repeats } from "../../log/repeats.ts";
import type { AgentMetrics } from "./metrics.ts";

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
    this.#logger.event(levelOf(event), event, fields);
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
    this.#logger.event(levelOf(event), event, { ...fields, ...figures, unwritten: times });
  }

  /** Reports by an event that the condition of another one is over, if it was there. */
  end(event: Event, condition: Event): void {
    if (this.#repeats.end(condition) !== undefined) this.tell(event, {});
  }
}
