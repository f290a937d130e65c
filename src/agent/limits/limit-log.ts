import type { Event, Fields } from "../../log/events.ts";
import type { ContainerView } from "../metrics/view.ts";
import type { LimitListener } from "./limit-context.ts";

/** Log of one container's limit: adds its names and figures to each event, and leaves out repeated ones. */
export class LimitLog {
  readonly #listener: LimitListener;
  /** State that each event was last logged with. */
  readonly #logged = new Map<Event, string>();

  constructor(listener: LimitListener) {
    this.#listener = listener;
  }

  /** Logs an event; `writes` is the number of files that were written for it. */
  log(event: Event, view: ContainerView, fields: Fields = {}, writes = 0): void {
    const { id, namespace, pod, container, reason, entitledBytes, effectiveBytes, swapUsageBytes } = view;
    const figures = { limitBytes: entitledBytes, ...fields, effectiveBytes, swapUsageBytes };
    this.#listener.log(event, { id, namespace, pod, container, reason, ...figures }, writes);
  }

  /** Logs an event unless nothing was written and nothing has changed since it was last logged; usage does not count. */
  logOnce(event: Event, view: ContainerView, fields: Fields = {}, writes = 0): void {
    const { reason, entitledBytes, effectiveBytes } = view;
    const state = JSON.stringify([reason, String(entitledBytes), String(effectiveBytes), fields]);
    if (this.#logged.get(event) === state && writes === 0) return;
    this.#logged.set(event, state);
    this.log(event, view, fields, writes);
  }

  /** Lets the next occurrence of an event be logged. */
  reset(event: Event): void {
    this.#logged.delete(event);
  }
}
