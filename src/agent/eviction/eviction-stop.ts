import type { ApiServer } from "../../cluster/api-server.ts";
import type { Node } from "../../cluster/node.ts";
import { STOP_ANNOTATION, stopComplaint, stopsEviction } from "../../cluster/node-eviction-stop.ts";
import { NodeWatch } from "../../cluster/node-watch.ts";
import type { Reporter } from "../metrics/reporter.ts";

/** Follows the node's annotation `wasp.io/eviction`, by which an administrator stops evictions at once. */
export class EvictionStop implements Disposable {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #reporter: Reporter;
  #watch: NodeWatch | undefined;
  /** Undefined before the node was read. */
  #isStopped: boolean | undefined;
  #complaint: string | undefined;

  constructor(server: ApiServer, nodeName: string, reporter: Reporter) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#reporter = reporter;
  }

  /** Begins to follow the annotation; does nothing if it is followed already. */
  follow(): void {
    this.#watch ??= new NodeWatch(
      { server: this.#server, nodeName: this.#nodeName },
      {
        onNode: (node, isWatched) => {
          if (isWatched) this.#reporter.end("node-unwatched");
          this.#apply(node);
        },
        onError: ({ message }) => this.#reporter.begin("node-unwatched", message),
      },
    );
  }

  /** Stops following the annotation, and forgets it. */
  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    this.#isStopped = undefined;
    this.#complaint = undefined;
  }

  /** Returns true if evictions are stopped, before the first answer by `found`; false while nothing is followed. */
  isStopped(found: Node | undefined): boolean {
    if (this.#watch === undefined) return false;
    return this.#isStopped ?? (found !== undefined && stopsEviction(found));
  }

  #apply(node: Node): void {
    const before = this.#isStopped ?? false;
    const isStopped = stopsEviction(node);
    this.#isStopped = isStopped;
    if (isStopped !== before)
      this.#reporter.log(isStopped ? "eviction-stopped" : "eviction-restarted", {
        annotation: STOP_ANNOTATION,
      });
    const complaint = stopComplaint(node);
    if (complaint !== undefined && complaint !== this.#complaint)
      this.#reporter.log("node-annotation-ignored", { error: complaint });
    this.#complaint = complaint;
  }
}
