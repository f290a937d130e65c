import { setTimeout as sleep } from "node:timers/promises";
import type { ApiServer } from "../../cluster/api-server.ts";
import { type ClusterEvent, EventRecorder } from "../../cluster/event-recorder.ts";
import { deletePod, evictPod } from "../../cluster/eviction.ts";
import type { EvictionReply } from "../../cluster/eviction-reply.ts";
import type { EvictionConfig } from "../../policy/eviction/decide.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import { type EvictedPod, withEvicted } from "../../policy/eviction/state.ts";
import type { Reporter } from "../metrics/reporter.ts";
import { NodeRecord } from "./node-record.ts";
import { ANSWER_REPORTS, type Eviction, namesOf, noteOf } from "./words.ts";

/** Options of an eviction requester. */
export interface EvictionRequesterOptions {
  readonly server: ApiServer;
  readonly nodeName: string;
  readonly reporter: Reporter;
  /** Returns true unless the pod is gone, the pressure is over, or evictions are no longer carried out. */
  readonly isStillWanted: (decision: Eviction) => boolean;
  readonly nowSeconds: () => number;
}

const MAX_ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 500;
const EVENT_RETRY = { attempts: 3, pauseMilliseconds: 5000 };

/** Requests decided evictions from the API server, and reports the outcome in the log and as Events. */
export class EvictionRequester {
  readonly #options: EvictionRequesterOptions;
  readonly #recorder: EventRecorder;
  readonly #record: NodeRecord;
  readonly #closing = new AbortController();

  constructor(options: EvictionRequesterOptions) {
    this.#options = options;
    const { server, nodeName, reporter } = options;
    this.#recorder = new EventRecorder(server, nodeName, EVENT_RETRY);
    // The pressure is the same without the permission, or while the node cannot be written.
    this.#record = new NodeRecord(server, nodeName, ({ message }) =>
      reporter.begin("node-unmarked", message),
    );
  }

  /**
   * Requests an eviction at once. Returns the answer, undefined if the agent ends before it comes. `evicted` are the
   * earlier evictions. Never throws.
   */
  async request(
    decision: Eviction,
    evicted: readonly EvictedPod[],
    config: EvictionConfig,
  ): Promise<EvictionReply | undefined> {
    if (config.evictionMode === "DryRun") return replyOf("dry-run", "a dry run only decides");
    const { nowSeconds, reporter, isStillWanted } = this.#options;
    const now = nowSeconds();
    // Beside the request and begun first: on a thrashing node each request takes 10 s and more, and a victim that waits
    // for the record is killed by the kernel meanwhile. If this agent ends with only the eviction carried out, the next
    // one sees the pod terminate, or finds the taint and waits for a whole grace period.
    this.#record.write(withEvicted(evicted, decision.victim.pod.uid, now), now);
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#ask(decision, attempt > 1);
      if (this.#closing.signal.aborted && reply.answer === "failed") return undefined;
      if (reply.isUnreachable !== true || attempt === MAX_ATTEMPTS) return reply;
      await sleep(PAUSE_MILLISECONDS, undefined, { signal: this.#closing.signal }).catch(() => {});
      if (isStillWanted(decision)) continue;
      reporter.log("eviction-withdrawn", namesOf(decision.victim));
      return reply;
    }
  }

  /** Reports the answer in the log and as Events of the pod and of the node. Never throws. */
  async publish(
    decision: Eviction,
    reply: EvictionReply,
    observation: Observation | undefined,
  ): Promise<void> {
    const { victim } = decision;
    const { event, reason } = ANSWER_REPORTS[reply.answer];
    const { answer, message } = reply;
    if (event !== undefined)
      this.#options.reporter.log(event, {
        ...namesOf(victim),
        answer,
        message: message === answer ? undefined : message,
      });
    if (reason === undefined) return;
    const { namespace, name, uid } = victim.pod;
    const note = noteOf(decision, reply, observation);
    const clusterEvent = { type: "Warning", reason, action: "Evict", note } as const;
    await this.#recordEvent({ ...clusterEvent, regarding: { kind: "Pod", namespace, name, uid } });
    await this.#recordEvent({ ...clusterEvent, regarding: { kind: "Node", name: this.#options.nodeName } });
  }

  /** Records an Event of the node for a hold that needs a person. Never throws. */
  async publishHold(note: string): Promise<void> {
    const regarding = { kind: "Node", name: this.#options.nodeName } as const;
    await this.#recordEvent({
      regarding,
      ...{ type: "Warning", reason: "SwapEvictionHeld", action: "Evict", note },
    });
  }

  /** Aborts requests in progress; the record on the node is given some seconds. */
  async leave(): Promise<void> {
    this.#closing.abort();
    await this.#record.leave();
  }

  // Its precondition is the pod's UID: another pod of that name is left alone without a look at it.
  async #ask({ method, victim }: Eviction, isRepeated: boolean): Promise<EvictionReply> {
    const { server } = this.#options;
    const closing = this.#closing.signal;
    const reply = await (method === "delete"
      ? deletePod(server, victim.pod, closing)
      : evictPod(server, victim.pod, {}, closing));
    // The request before, of which only the answer was lost, has evicted it.
    return isRepeated && reply.answer === "gone" ? { ...reply, answer: "accepted" } : reply;
  }

  async #recordEvent(event: ClusterEvent): Promise<void> {
    const closing = this.#closing.signal;
    const error = await this.#recorder.record(event, closing);
    if (closing.aborted) return;
    if (error === undefined) this.#options.reporter.end("event-unrecorded");
    else this.#options.reporter.begin("event-unrecorded", error.message);
  }
}

function replyOf(answer: EvictionReply["answer"], message: string): EvictionReply {
  return { answer, message, retryAfterSeconds: undefined };
}
