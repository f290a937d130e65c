import type { ApiServer } from "../cluster/api-server.ts";
import { type ClusterEvent, EventRecorder } from "../cluster/events.ts";
import { deletePod, evictPod } from "../cluster/eviction.ts";
import type { EvictionReply } from "../cluster/eviction-reply.ts";
import { getPod } from "../cluster/live-pod.ts";
import type { SwapPressureTaint } from "../cluster/node-taint.ts";
import type { Event, Fields } from "../log.ts";
import {
  answered,
  decideEviction,
  type EvictionAnswer,
  type EvictionConfig,
  type EvictionDecision,
  type EvictionState,
  isPressed,
  NO_EVICTIONS,
} from "../policy/eviction.ts";
import type { Observation } from "../policy/signals.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import { isMet } from "../policy/threshold.ts";
import { isGoing, whyNever } from "../policy/victim.ts";
import { rankingReason } from "../policy/victim-reason.ts";
import { NodeMarks } from "./node-marks.ts";

/** The knobs of eviction, as the agent goes by them. */
export interface EvictorConfig extends EvictionConfig {
  readonly taintEffect: SwapPressureTaint["effect"] | "None";
}

/** What an Evictor is made of. */
export interface EvictorOptions {
  readonly server: ApiServer;
  readonly nodeName: string;
  readonly config: () => EvictorConfig;
  /** What is to be seen of the node now, with its containers' figures or without; undefined before pods are known. */
  readonly look: (withContainers: boolean) => Snapshot | undefined;
  /** Something happened. */
  readonly tell: (event: Event, fields: Fields) => void;
  /** A condition lasts that keeps something from being done; undefined when it is over. */
  readonly meet: (event: Event, error: Error | undefined) => void;
  /** The API server answered a request to evict. */
  readonly onAnswer: (answer: EvictionAnswer) => void;
  readonly nowSeconds: () => number;
}

type Eviction = EvictionDecision & { readonly verdict: "evict" };

/** Senses each second whether swap hurts, and has the right pod evicted when it does. */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #recorder: EventRecorder;
  readonly #marks: NodeMarks;
  readonly #closing = new AbortController();
  #state: EvictionState = NO_EVICTIONS;
  #observation: Observation | undefined;
  #decision: EvictionDecision = { verdict: "hold", reason: "not-pressed" };
  #isActing = false;

  constructor(options: EvictorOptions) {
    const { server, nodeName, nowSeconds } = options;
    this.#options = options;
    this.#recorder = new EventRecorder(server, nodeName);
    this.#marks = new NodeMarks(server, nodeName, nowSeconds, {
      onTaint: (isTainted) => options.tell(isTainted ? "node-tainted" : "node-untainted", {}),
      onError: (error) => options.meet("node-unmarked", error),
      onSuccess: () => options.meet("node-unmarked", undefined),
    });
  }

  /** What the signals say, undefined before the first look. */
  get observation(): Observation | undefined {
    return this.#observation;
  }

  /** By name, whether each threshold is crossed. */
  get thresholds(): Readonly<Record<string, boolean>> {
    const names = this.#options.config().evictionThresholds.map(({ name }) => name);
    return Object.fromEntries(names.map((name) => [name, this.#state.thresholds[name]?.isCrossed ?? false]));
  }

  /** Looks, decides, and begins what is decided; to be called each second. Never throws. */
  tick(): void {
    const config = this.#options.config();
    if (config.evictionMode !== "Enforce") void this.#marks.withdraw();
    if (config.evictionMode === "Off") {
      this.#forget();
      return;
    }
    const snapshot = this.#look();
    if (snapshot === undefined) return;
    const { decision, observation, state } = decideEviction(this.#state, snapshot, config);
    this.#state = state;
    this.#observation = observation;
    this.#tellChange(decision, observation);
    this.#decision = decision;
    if (config.evictionMode === "Enforce") this.#mark(config, observation);
    if (decision.verdict === "evict" && !this.#isActing) void this.#carryOut(decision, config);
  }

  /** Breaks off what is under way, and takes the node's marks away as far as that can be done soon. */
  async leave(): Promise<void> {
    this.#closing.abort();
    if (this.#options.config().evictionMode === "Enforce" || this.#marks.isMarked) await this.#marks.leave();
  }

  // What was felt before says nothing of the time when it is felt again; who was evicted still counts.
  #forget(): void {
    const { senses, thresholds, earlier } = NO_EVICTIONS;
    this.#state = { ...this.#state, senses, thresholds, earlier };
    this.#observation = undefined;
    this.#decision = { verdict: "hold", reason: "not-pressed" };
  }

  // The containers of a quiet node are not worth a look each second.
  #look(): Snapshot | undefined {
    const isClose = Object.values(this.#state.thresholds).some(
      ({ metSinceSeconds, isCrossed }) => isCrossed || metSinceSeconds !== undefined,
    );
    try {
      const snapshot = this.#options.look(isClose);
      this.#options.meet("node-unknown", undefined);
      return snapshot;
    } catch (error) {
      this.#options.meet("node-unknown", error as Error);
      return undefined;
    }
  }

  #tellChange(decision: EvictionDecision, observation: Observation): void {
    const words = ({ verdict, ...rest }: EvictionDecision) =>
      `${verdict} ${"reason" in rest ? rest.reason : ""}`;
    if (decision.verdict === "evict" || words(decision) === words(this.#decision)) return;
    const figures = figuresOf(observation);
    if (decision.verdict === "hold")
      this.#options.tell("eviction-held", { reason: decision.reason, ...figures });
    else this.#options.tell("victim-awaited", { podUid: decision.podUid, ...figures });
  }

  #mark(config: EvictorConfig, observation: Observation): void {
    const taintEffect = config.taintEffect === "None" ? undefined : config.taintEffect;
    const message = sentenceOf(observation);
    void this.#marks.show({ isPressed: isPressed(this.#state), message, taintEffect });
  }

  async #carryOut(decision: Eviction, config: EvictorConfig): Promise<void> {
    this.#isActing = true;
    try {
      this.#tellDecision(decision, config);
      const reply = config.evictionMode === "DryRun" ? NOT_ASKED : await this.#ask(decision, config);
      if (reply === undefined || (reply.answer === "failed" && this.#closing.signal.aborted)) return;
      const { uid } = decision.victim.pod;
      this.#state = answered(this.#state, uid, reply.answer, config, this.#options.nowSeconds());
      this.#options.onAnswer(reply.answer);
      await this.#publish(decision, reply);
    } finally {
      this.#isActing = false;
    }
  }

  /** Asks for the eviction of a victim that is still the same, under pressure that still is; undefined otherwise. */
  async #ask({ victim, method }: Eviction, config: EvictorConfig): Promise<EvictionReply | undefined> {
    const { server } = this.#options;
    const closing = this.#closing.signal;
    try {
      const pod = await getPod(server, victim.pod, closing);
      if (pod === undefined) return { answer: "gone", message: "it is gone", retryAfterSeconds: undefined };
      const never = whyNever(pod, config);
      // The kubelet will soon tell of one that goes, and then it is waited for.
      const answer = isGoing(never) ? "failed" : "never";
      if (never !== undefined) return { answer, message: never, retryAfterSeconds: undefined };
      if (!this.#isStillWanted()) {
        this.#options.tell("eviction-withdrawn", namesOf(victim));
        return undefined;
      }
      return method === "delete"
        ? await deletePod(server, victim.pod, closing)
        : await evictPod(server, victim.pod, {}, closing);
    } catch (error) {
      return { answer: "failed", message: (error as Error).message, retryAfterSeconds: undefined };
    }
  }

  #isStillWanted(): boolean {
    const config = this.#options.config();
    const observation = this.#observation;
    return (
      config.evictionMode === "Enforce" &&
      observation !== undefined &&
      config.evictionThresholds.some((threshold) => isMet(threshold, observation))
    );
  }

  #tellDecision(
    { victim, ranking, thresholds, method }: Eviction,
    { evictionMode: mode }: EvictorConfig,
  ): void {
    const next = ranking.slice(0, 3).map(({ pod }) => `${pod.namespace}/${pod.name}`);
    this.#options.tell("eviction-decided", {
      ...namesOf(victim),
      mode,
      method,
      thresholds: thresholds.join(", "),
      why: rankingReason(victim),
      ranking: next.join(", "),
      candidates: ranking.length,
      ...(this.#observation && figuresOf(this.#observation)),
    });
  }

  async #publish(decision: Eviction, { answer, message }: EvictionReply): Promise<void> {
    const { victim } = decision;
    const { pod } = victim;
    const isDone = answer === "accepted" || answer === "evacuating";
    const outcome = isDone ? "pod-evicted" : "eviction-refused";
    // Who was not asked refused nothing.
    if (answer !== "dry-run") this.#options.tell(outcome, { ...namesOf(victim), answer, message });
    if (answer === "failed" || answer === "gone") return;
    const figures = this.#observation === undefined ? "" : ` ${sentenceOf(this.#observation)}`;
    const verb = answer === "dry-run" ? "would be" : isDone ? "is" : `is not (${answer}: ${message})`;
    const note = `${pod.namespace}/${pod.name} ${verb} evicted: it is ${rankingReason(victim)}.${figures}`;
    const reason =
      answer === "dry-run" ? "SwapEvictionPlanned" : isDone ? "SwapEviction" : "SwapEvictionRefused";
    const node = { kind: "Node", name: this.#options.nodeName } as const;
    for (const regarding of [{ kind: "Pod", ...refOf(pod) } as const, node])
      await this.#record({ regarding, type: "Warning", reason, action: "Evict", note });
  }

  async #record(event: ClusterEvent): Promise<void> {
    const closing = this.#closing.signal;
    const error = await this.#recorder.record(event, closing);
    if (!closing.aborted) this.#options.meet("event-unrecorded", error);
  }
}

const NOT_ASKED: EvictionReply = {
  answer: "dry-run",
  message: "only decisions are asked for",
  retryAfterSeconds: undefined,
};

function refOf({ namespace, name, uid }: { namespace: string; name: string; uid: string }) {
  return { namespace, name, uid };
}

function namesOf({ pod }: Eviction["victim"]): Fields {
  return { namespace: pod.namespace, pod: pod.name, podUid: pod.uid };
}

// Enough digits for an eye; what replays a decision is a recording.
function figuresOf(observation: Observation): Fields {
  const entries = Object.entries(observation).map(([name, figure]) => [
    name,
    typeof figure === "number" ? Math.round(figure * 1000) / 1000 : figure,
  ]);
  return Object.fromEntries(entries);
}

function sentenceOf({ stall, swapUtilization, swapInPagesPerSecond, pressureCause }: Observation): string {
  const percent = (part: number | undefined) =>
    part === undefined ? "unknown" : `${Math.round(part * 100)} %`;
  const pages = swapInPagesPerSecond === undefined ? "unknown" : Math.round(swapInPagesPerSecond);
  const cause = pressureCause === undefined ? "" : ` (${pressureCause})`;
  return `Pods stalled for memory ${percent(stall)} of the time${cause}; swap in use ${percent(swapUtilization)}; pages swapped in a second ${pages}.`;
}
