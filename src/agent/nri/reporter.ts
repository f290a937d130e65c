import type { Fields, LogEvent } from "../../log/events.ts";
import { Repeats } from "../../log/repeats.ts";
import type { Disconnection, PluginEvent } from "../../nri/plugin.ts";

/** Logs the events of an NRI plugin. */
export class NriReporter {
  readonly #log: LogEvent;
  readonly #repeats = new Repeats(() => performance.now());
  #refusal: Fields[string];

  constructor(log: LogEvent) {
    this.#log = log;
  }

  /** Logs an event. */
  readonly log: LogEvent = (event, fields) => {
    if (event === "container-refused") this.#refusal = fields["error"];
    this.#log(event, fields);
  };

  /** Logs an event of the connection; repeated failures to connect are logged every ten minutes. */
  readonly logConnection = (event: PluginEvent): void => {
    switch (event.kind) {
      case "registered": {
        const { name, version, requestTimeoutMillis } = event.runtime;
        this.log("nri-registered", { runtime: name, version, requestTimeoutMillis });
        break;
      }
      case "synchronized": {
        const { pods, containers, updates } = event;
        for (const kind of LASTING) this.#repeats.end(kind);
        this.log("nri-synchronized", { pods, containers, updates });
        break;
      }
      case "request-failed":
        this.#logFailedRequest(event.method, event.reason);
        break;
      case "connected":
      case "shutdown":
        this.log(`nri-${event.kind}`, {});
        break;
      default:
        this.#logDisconnection(event.kind, event.reason, event.retryMilliseconds);
    }
  };

  // A refused container has its own line.
  #logFailedRequest(method: string, error: string): void {
    const isLogged = this.#refusal !== undefined && error.endsWith(String(this.#refusal));
    this.#refusal = undefined;
    if (!isLogged) this.log("nri-request-failed", { method, error });
  }

  #logDisconnection(kind: Disconnection["kind"], error: string, retryMilliseconds: number | undefined): void {
    const unlogged = LASTING.includes(kind) ? this.#repeats.begin(kind, error) : 0;
    if (unlogged === undefined) return;
    const unwritten = unlogged === 0 ? undefined : unlogged;
    this.log(`nri-${kind}`, { error, retryMilliseconds, unwritten });
  }
}

/** Reasons for disconnections that repeat at each attempt to connect. */
const LASTING: readonly Disconnection["kind"][] = ["unreachable", "refused"];
