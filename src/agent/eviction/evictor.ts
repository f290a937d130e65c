import type { ApiServer } from "../../cluster/api-server.ts";
import type { SwapPressureTaint } from "../../cluster/node-taint.ts";
import type { Event, Tell } from "../../log/events.ts";
import { type EvictionAnswer, withAnswer } from "../../policy/eviction/answer.ts";
import { decideEviction, type EvictionConfig, type EvictionDecision } from "../../policy/eviction/decide.ts";
import { resumeEvictions } from "../../policy/eviction/resume.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import { type EvictionState, isPressed, NO_EVICTIONS } from "../../policy/eviction/state.ts";
import { EvictionChanges } from "./decision-log.ts";
import { NodeMarks } from "./node-marks.ts";
import { pastOf } from "./node-record.ts";
import { EvictionRequester } from "./request.ts";
import { type Eviction, fieldsOf, sentenceOf } from "./words.ts";

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
  readonly tell: Tell;
  /** A condition lasts that keeps something from being done; undefined when it is over. */
  readonly meet: (event: Event, error: Error | undefined) => void;
  /** The API server answered a request to evict. */
  readonly onAnswer: (answer: EvictionAnswer) => void;
  readonly nowSeconds: () => number;
}

// A fraction of the time; less is no matter on any node.
const STALLED = 0.05;

/** Senses each second whether swap hurts, and has the right pod evicted when it does. */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #requester: EvictionRequester;
  readonly #marks: NodeMarks;
  readonly #changes: EvictionChanges;
  #state: EvictionState = NO_EVICTIONS;
  #observation: Observation | undefined;
  #decision: EvictionDecision | undefined;
  #hasResumed = false;
  #isActing = false;

  constructor(options: EvictorOptions) {
    const { server, nodeName, nowSeconds, tell, meet } = options;
    this.#options = options;
    this.#requester = new EvictionRequester({
      ...options,
      isStillWanted: (decision) => this.#isStillWanted(decision),
    });
    this.#changes = new EvictionChanges(tell);
    this.#marks = new NodeMarks(server, nodeName, nowSeconds, {
      onTaint: (effect) => tell(effect === undefined ? "node-untainted" : "node-tainted", { effect }),
      onRestored: (lost) => tell("node-mark-restored", { lost }),
      onContest: (isContested) => tell(isContested ? "node-mark-contested" : "node-mark-uncontested", {}),
      onError: (error) => meet("node-unmarked", error),
      onSuccess: () => meet("node-unmarked", undefined),
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
    const isEnforced = config.evictionMode === "Enforce";
    if (!isEnforced) void this.#marks.withdraw();
    if (config.evictionMode === "Off") {
      this.#forget();
      return;
    }
    const snapshot = this.#look();
    if (snapshot === undefined) return;
    if (isEnforced) this.#resume(config);
    const { decision, observation, state } = decideEviction(this.#state, snapshot, config);
    this.#state = state;
    this.#observation = observation;
    this.#decision = decision;
    const isUnsure = isEnforced && !this.#hasResumed;
    const followed = isUnsure && decision.verdict === "evict" ? PAST_UNKNOWN : decision;
    this.#changes.take(followed, { snapshot, observation, state, config });
    if (followed.verdict === "evict" && !this.#isActing) void this.#carryOut(followed, config);
    if (!isUnsure && isEnforced) this.#mark(config, observation);
  }

  /** Breaks off what is under way, and takes the node's marks away as far as that can be done soon. */
  async leave(): Promise<void> {
    this.#requester.close();
    if (this.#options.config().evictionMode === "Enforce" || this.#marks.isMarked) await this.#marks.leave();
  }

  // What was felt before says nothing of the time when it is felt again; who was evicted still counts.
  #forget(): void {
    const { signalHistory, thresholds, earlier, inheritedUntilSeconds } = NO_EVICTIONS;
    this.#state = { ...this.#state, signalHistory, thresholds, earlier, inheritedUntilSeconds };
    this.#observation = undefined;
    this.#changes.reset();
  }

  // The containers of a quiet node are not worth a look each second.
  #look(): Snapshot | undefined {
    const isMetSomewhere = Object.values(this.#state.thresholds).some(
      ({ metSinceSeconds }) => metSinceSeconds !== undefined,
    );
    // Whether swap is why pods stall may be told by their containers alone.
    const isClose = isMetSomewhere || (this.#observation?.stall ?? 0) >= STALLED;
    try {
      const snapshot = this.#options.look(isClose || isPressed(this.#state));
      this.#options.meet("node-unknown", undefined);
      return snapshot;
    } catch (error) {
      this.#options.meet("node-unknown", error as Error);
      return undefined;
    }
  }

  /** Goes on from where an agent before this one ended, once the node has told that. */
  #resume(config: EvictorConfig): void {
    if (this.#hasResumed) return;
    const { found } = this.#marks;
    if (found === undefined) {
      void this.#marks.find();
      return;
    }
    const now = this.#options.nowSeconds();
    const past = pastOf(found, config.taintEffect, now);
    this.#hasResumed = true;
    this.#state = resumeEvictions(this.#state, past, config, now);
    if (past.isPressed || this.#state.evicted.length > 0)
      this.#options.tell("eviction-resumed", {
        isPressed: past.isPressed,
        evictedLastHour: this.#state.evicted.length,
        cooldownSeconds: Math.max(0, Math.round(this.#state.cooldownUntilSeconds - now)),
      });
  }

  #mark(config: EvictorConfig, observation: Observation): void {
    const taintEffect = config.taintEffect === "None" ? undefined : config.taintEffect;
    const isInherited = this.#state.inheritedUntilSeconds !== undefined;
    const message = `${isInherited ? INHERITED : ""}${sentenceOf(observation)}`;
    void this.#marks.show({ isPressed: isPressed(this.#state), message, taintEffect });
  }

  async #carryOut(decision: Eviction, config: EvictorConfig): Promise<void> {
    this.#isActing = true;
    try {
      this.#options.tell("eviction-decided", fieldsOf(decision, config.evictionMode, this.#observation));
      const reply = await this.#requester.ask(decision, this.#state.evicted, config);
      if (reply === undefined) return;
      const { uid } = decision.victim.pod;
      const { answer, retryAfterSeconds } = reply;
      const now = this.#options.nowSeconds();
      this.#state = withAnswer(this.#state, uid, answer, config, now, retryAfterSeconds);
      this.#options.onAnswer(answer);
      await this.#requester.publish(decision, reply, this.#observation);
    } finally {
      this.#isActing = false;
    }
  }

  /** Whether somebody is to be evicted as of the last look, and the victim uses as much too much as it did. */
  #isStillWanted({ victim }: Eviction): boolean {
    if (this.#decision?.verdict !== "evict" || this.#options.config().evictionMode !== "Enforce")
      return false;
    const now = this.#decision.ranking.find(({ pod }) => pod.uid === victim.pod.uid);
    return now !== undefined && (now.isOverRequest || !victim.isOverRequest);
  }
}

const INHERITED = "Felt by the agent before this one, and not yet seen to be over. ";
const PAST_UNKNOWN: EvictionDecision = { verdict: "hold", reason: "past-unknown" };
