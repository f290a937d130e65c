import type { ApiServer } from "../../cluster/api-server.ts";
import { type ClusterEvent, EventRecorder } from "../../cluster/event-recorder.ts";
import { deletePod, evictPod } from "../../cluster/eviction.ts";
import type { EvictionReply } from "../../cluster/eviction-reply.ts";
import { recordEvictions } from "../../cluster/node-evictions.ts";
import { getPod } from "../../cluster/pod.ts";
import type { Event, Tell } from "../../log/events.ts";
import type { EvictionConfig } from "../../policy/eviction/decide.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import { type EvictedPod, withEvicted } from "../../policy/eviction/state.ts";
import { isLeaving, neverEvictedReason } from "../../policy/eviction/victim.ts";
import { legacyOf } from "./node-record.ts";
import { type Eviction, namesOf, noteOf, OUTCOMES } from "./words.ts";

/** What an EvictionRequester is made of. */
export interface EvictionRequesterOptions {
  readonly server: ApiServer;
  readonly nodeName: string;
  /** Something happened. */
  readonly tell: Tell;
  /** A condition lasts that keeps something from being done; undefined when it is over. */
  readonly meet: (event: Event, error: Error | undefined) => void;
  /** Whether what was decided a moment ago would still be. */
  readonly isStillWanted: (decision: Eviction) => boolean;
  readonly nowSeconds: () => number;
}

/** Asks the API server for the evictions that were decided, and has everybody know what came of them. */
export class EvictionRequester {
  readonly #options: EvictionRequesterOptions;
  readonly #recorder: EventRecorder;
  readonly #closing = new AbortController();

  constructor(options: EvictionRequesterOptions) {
    this.#options = options;
    this.#recorder = new EventRecorder(options.server, options.nodeName);
  }

  /**
   * Asks for the eviction of a victim that is still the same, under pressure that still is; undefined when it is not asked
   * for after all. `evicted` are those before it. Never throws.
   */
  async ask(
    decision: Eviction,
    evicted: readonly EvictedPod[],
    config: EvictionConfig,
  ): Promise<EvictionReply | undefined> {
    if (config.evictionMode === "DryRun") return replyOf("dry-run", "only decisions are asked for");
    const { server, tell, isStillWanted } = this.#options;
    const { victim, method } = decision;
    const { pod } = victim;
    const closing = this.#closing.signal;
    try {
      const live = await getPod(server, pod, closing);
      if (live === undefined) return replyOf("gone", "it is gone");
      const never = neverEvictedReason(live, config);
      // The kubelet will soon tell of one that goes, and then it is waited for.
      if (never !== undefined) return replyOf(isLeaving(never) ? "failed" : "never", never);
      await this.#writeDown(evicted, pod.uid);
      if (!isStillWanted(decision)) {
        tell("eviction-withdrawn", namesOf(victim));
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

  /** Tells what came of a request, in the log and as Events of the pod and of the node. Never throws. */
  async publish(
    decision: Eviction,
    reply: EvictionReply,
    observation: Observation | undefined,
  ): Promise<void> {
    const { victim } = decision;
    const { event, reason } = OUTCOMES[reply.answer];
    const { answer, message } = reply;
    if (event !== undefined)
      this.#options.tell(event, {
        ...namesOf(victim),
        answer,
        message: message === answer ? undefined : message,
      });
    if (reason === undefined) return;
    const { namespace, name, uid } = victim.pod;
    const note = noteOf(decision, reply, observation);
    const told = { type: "Warning", reason, action: "Evict", note } as const;
    await this.#record({ ...told, regarding: { kind: "Pod", namespace, name, uid } });
    await this.#record({ ...told, regarding: { kind: "Node", name: this.#options.nodeName } });
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#closing.abort();
  }

  // Before the request: whatever happens to this agent from then on, the next one does not evict at once again. Without
  // the permission for it, or while the node cannot be written, pressure is no less.
  async #writeDown(evicted: readonly EvictedPod[], podUid: string): Promise<void> {
    const { server, nodeName, nowSeconds, meet } = this.#options;
    const now = nowSeconds();
    const closing = this.#closing.signal;
    const legacy = legacyOf(withEvicted(evicted, podUid, now), now);
    await recordEvictions(server, nodeName, legacy, closing).catch((error: Error) => {
      if (!closing.aborted) meet("node-unmarked", error);
    });
  }

  async #record(event: ClusterEvent): Promise<void> {
    const closing = this.#closing.signal;
    const error = await this.#recorder.record(event, closing);
    if (!closing.aborted) this.#options.meet("event-unrecorded", error);
  }
}

function replyOf(answer: EvictionReply["answer"], message: string): EvictionReply {
  return { answer, message, retryAfterSeconds: undefined };
}
