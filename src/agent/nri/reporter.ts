import type { Fields, Tell } from "../../log/events.ts";
import { Repeats } from "../../log/repeats.ts";
import type { Disconnection, PluginEvent } from "../../nri/plugin.ts";

/** Tells what happens to an NRI plugin, in the log's words. */
export class NriReporter {
  readonly #tell: Tell;
  readonly #repeats = new Repeats(() => performance.now());
  #refusal: Fields[string];

  /** Whoever writes the log is told. */
  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Tells of something that happened. */
  readonly tell: Tell = (event, fields) => {
    if (event === "container-refused") this.#refusal = fields["error"];
    this.#tell(event, fields);
  };

  /** Tells what happened to the connection; that there still is none, now and then. */
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
