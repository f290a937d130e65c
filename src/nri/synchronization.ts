import { isReadAnnotation } from "../policy/limits/spec-limits.ts";
import type { Container, PodSandbox } from "./api_pb.ts";
import { containerOf, podOf, updateOf } from "./from-wire.ts";
import type { NriContainer, NriPod, PluginHandlers } from "./handlers.ts";
import { MAX_SYNCHRONIZED_BYTES } from "./messages.ts";
import { STATUS, StatusError } from "./status.ts";

// All parts together; a node's pods and containers are far fewer and take far less.
const MAX_SYNCHRONIZED = 20_000;

/** Numbers of what the runtime has listed, and of the updates that it got for that. */
export interface Synchronized {
  readonly pods: number;
  readonly containers: number;
  readonly updates: number;
}

/** The runtime's list of its pods and containers, in one message or in several. */
export class Synchronization {
  readonly #handlers: PluginHandlers;
  readonly #report: (synchronized: Synchronized) => void;
  #pods: NriPod[] = [];
  #containers: NriContainer[] = [];
  #bytes = 0;

  constructor(handlers: PluginHandlers, report: (synchronized: Synchronized) => void) {
    this.#handlers = handlers;
    this.#report = report;
  }

  /** Adds pods and containers of this size; throws a StatusError if all together are too many, and starts over. */
  add(pods: readonly PodSandbox[], containers: readonly Container[], bytes: number): void {
    this.#bytes += bytes;
    const count = this.#pods.length + this.#containers.length + pods.length + containers.length;
    if (this.#bytes > MAX_SYNCHRONIZED_BYTES || count > MAX_SYNCHRONIZED) {
      this.clear();
      const most = `${MAX_SYNCHRONIZED} pods and containers, of ${MAX_SYNCHRONIZED_BYTES} bytes, are the limit`;
      const remedy =
        "remove pods that have ended (crictl rmp), and shorten long annotations and environments";
      throw new StatusError(STATUS.resourceExhausted, `Synchronize: ${most}: ${remedy}`);
    }
    this.#pods.push(...pods.map((pod) => withReadAnnotations(podOf(pod))));
    this.#containers.push(...containers.map(containerOf));
  }

  /** Hands all of them on, and returns the answer. */
  finish() {
    const [pods, containers] = [this.#pods, this.#containers];
    this.clear();
    const update = this.#handlers.synchronize(pods, containers).map(updateOf);
    this.#report({ pods: pods.length, containers: containers.length, updates: update.length });
    return { update };
  }

  /** Forgets what was added. */
  clear(): void {
    this.#pods = [];
    this.#containers = [];
    this.#bytes = 0;
  }
}

// Annotations are most of the list: all others would be held as long as their pods run.
function withReadAnnotations(pod: NriPod): NriPod {
  const read = Object.entries(pod.annotations).filter(([name]) => isReadAnnotation(name));
  return { ...pod, annotations: Object.fromEntries(read) };
}
