import type { Level, Logger } from "../agent/logger.ts";
import { Repeats } from "../agent/repeats.ts";
import type { Event, Fields } from "../log.ts";
import type { Disconnection, PluginEvent } from "../nri/plugin.ts";

/** Events that are not written at the level of information. */
const LEVELS: Partial<Record<Event, Level>> = {
  "container-limits-left": "debug",
  "container-limits-failed": "warning",
  "container-refused": "warning",
  "annotation-ignored": "warning",
  "swap-limits-impossible": "warning",
  "node-unknown": "warning",
  "config-doubtful": "warning",
  "config-refused": "error",
  "nri-connected": "debug",
  "nri-request-failed": "warning",
  "nri-unreachable": "warning",
  "nri-refused": "error",
  "nri-disconnected": "warning",
  "nri-protocol-error": "error",
};

/** Writes what happens to an NRI plugin to its log. */
export class NriReporter {
  readonly #logger: Logger;
  readonly #repeats = new Repeats(() => performance.now());
  #refusal: Fields[string];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Reports something that happened. */
  readonly tell = (event: Event, fields: Fields): void => {
    if (event === "container-refused") this.#refusal = fields["error"];
    this.#logger.event(LEVELS[event] ?? "info", event, fields);
  };

  /** Reports what happened to the connection; that there still is none, now and then. */
  readonly connection = (event: PluginEvent): void => {
    switch (event.kind) {
      case "registered": {
        const { name, version, requestTimeoutMillis } = event.runtime;
        this.tell("nri-registered", { runtime: name, version, requestTimeoutMillis });
        break;
      }
      case "synchronized": {
        const { pods, containers, updates } = event;
        for (const kind of LASTING) this.#repeats.end(kind);
        this.tell("nri-synchronized", { pods, containers, updates });
        break;
      }
      case "request-failed":
        this.#requestFailed(event.method, event.reason);
        break;
      case "connected":
      case "shutdown":
        this.tell(`nri-${event.kind}`, {});
        break;
      default:
        this.#noConnection(event.kind, event.reason, event.retryMilliseconds);
    }
  };

  // A refused container has its own line.
  #requestFailed(method: string, error: string): void {
    const isTold = this.#refusal !== undefined && error.endsWith(String(this.#refusal));
    this.#refusal = undefined;
    if (!isTold) this.tell("nri-request-failed", { method, error });
  }

  #noConnection(kind: Disconnection["kind"], error: string, retryMilliseconds: number | undefined): void {
    const unwritten = LASTING.includes(kind) ? this.#repeats.meet(kind, error) : 0;
    if (unwritten === undefined) return;
    const times = unwritten === 0 ? undefined : unwritten;
    this.tell(`nri-${kind}`, { error, retryMilliseconds, unwritten: times });
  }
}

/** What comes again at every attempt to connect. */
const LASTING: readonly Disconnection["kind"][] = ["unreachable", "refused"];
