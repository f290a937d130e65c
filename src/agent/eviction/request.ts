import type { ApiServer } from "../../cluster/api-server.ts";
import { type ClusterEvent, EventRecorder } from "../../cluster/event-recorder.ts";
import { deletePod, evictPod } from "../../cluster/eviction.ts";
import type { EvictionReply } from "../../cluster/eviction-reply.ts";
import { recordEvictions } from "../../cluster/node-evictions.ts";
import { getPod } from "../../cluster/pod.ts";
import type { EvictionConfig } from "../../policy/eviction/decide.ts";
import { isLeaving, neverEvictedReason } from "../../policy/eviction/never-evicted.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import { type EvictedPod, withEvicted } from "../../policy/eviction/state.ts";
import type { Reporter } from "../metrics/reporter.ts";
import { evictionRecord } from "./node-record.ts";
import { ANSWER_REPORTS, type Eviction, namesOf, noteOf } from "./words.ts";

/** Options of an eviction requester. */
export interface EvictionRequesterOptions {
  readonly server: ApiServer;
  readonly nodeName: string;
  readonly reporter: Reporter;
  /** Returns true if the same pod would still be evicted now. */
  readonly isStillWanted: (decision: Eviction) => boolean;
  readonly nowSeconds: () => number;
}

/** Requests decided evictions from the API server, and reports the outcome in the log and as Events. */
export class EvictionRequester {
  readonly #options: EvictionRequesterOptions;
  readonly #recorder: EventRecorder;
  readonly #closing = new AbortController();

  constructor(options: EvictionRequesterOptions) {
    this.#options = options;
    this.#recorder = new EventRecorder(options.server, options.nodeName);
  }

  /**
   * Requests an eviction after checking that the victim is unchanged and the pressure lasts. Returns the answer, undefined
   * if the request was dropped. `evicted` are the earlier evictions. Never throws.
   */
  async request(
    decision: Eviction,
    evicted: readonly EvictedPod[],
    config: EvictionConfig,
  ): Promise<EvictionReply | undefined> {
    if (config.evictionMode === "DryRun") return replyOf("dry-run", "a dry run only decides");
    const { server, reporter, isStillWanted } = this.#options;
    const { victim, method } = decision;
    const { pod } = victim;
    const closing = this.#closing.signal;
    try {
      const live = await getPod(server, pod, closing);
      if (live === undefined) return replyOf("gone", "it is gone");
      const never = neverEvictedReason(live, victim, config);
      // The kubelet will soon list the pod as terminating, and then it is awaited.
      if (never !== undefined) return replyOf(isLeaving(never) ? "failed" : "never", never);
      await this.#recordOnNode(evicted, pod.uid);
      if (!isStillWanted(decision)) {
        reporter.log("eviction-withdrawn", namesOf(victim));
        return undefined;
      }
      const reply = await (method === "delete"
        ? deletePod(server, pod, closing)
        : evictPod(server, pod, {}, closing));
      return reply.answer === "failed" && closing.aborted ? undefined : reply;
    } catch (error) {
      return closing.aborted ? undefined : replyOf("failed", (error as Error).message);
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

  /** Aborts requests in progress. */
  close(): void {
    this.#closing.abort();
  }

  // Done before the request: if this agent ends then, the next one does not evict at once again. An error is only
  // reported: the pressure is the same without the permission, or while the node cannot be written.
  async #recordOnNode(evicted: readonly EvictedPod[], podUid: string): Promise<void> {
    const { server, nodeName, nowSeconds, reporter } = this.#options;
    const now = nowSeconds();
    const closing = this.#closing.signal;
    const record = evictionRecord(withEvicted(evicted, podUid, now), now);
    await recordEvictions(server, nodeName, record, closing).catch((error: Error) => {
      if (!closing.aborted) reporter.begin("node-unmarked", error.message);
    });
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
