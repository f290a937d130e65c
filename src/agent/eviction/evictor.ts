import type { ApiServer } from "../../cluster/api-server.ts";
import type { Node } from "../../cluster/node.ts";
import type { SwapPressureTaint } from "../../cluster/node-taint.ts";
import { type EvictionAnswer, withAnswer } from "../../policy/eviction/answer.ts";
import {
  decideEviction,
  type EvictionConfig,
  type EvictionDecision,
  type EvictionHoldReason,
} from "../../policy/eviction/decide.ts";
import { resumeEvictions } from "../../policy/eviction/resume.ts";
import type { Observation } from "../../policy/eviction/signals.ts";
import type { Snapshot } from "../../policy/eviction/snapshot.ts";
import { type EvictionState, isPressed, NO_EVICTIONS } from "../../policy/eviction/state.ts";
import type { Reporter } from "../metrics/reporter.ts";
import { DecisionLog } from "./decision-log.ts";
import { HoldReport } from "./hold-report.ts";
import { recordedPast } from "./node-record.ts";
import { PressurePublisher } from "./pressure-publisher.ts";
import { EvictionRequester } from "./request.ts";
import { WarmConnections } from "./warm-connections.ts";
import { type Eviction, fieldsOf, sentenceOf } from "./words.ts";

/** Knobs of eviction in force. */
export interface EvictorConfig extends EvictionConfig {
  readonly taintEffect: SwapPressureTaint["effect"] | "None";
}

/** Options of an evictor. */
export interface EvictorOptions {
  readonly server: ApiServer;
  readonly nodeName: string;
  readonly config: () => EvictorConfig;
  /** Takes a snapshot of the node, with its containers' figures or without; undefined before the pods are known. */
  readonly takeSnapshot: (withContainers: boolean) => Snapshot | undefined;
  /** Returns true while an administrator has stopped evictions; takes the node as an earlier agent left it, if known. */
  readonly isStopped: (found: Node | undefined) => boolean;
  readonly reporter: Reporter;
  /** Called with the answer to each eviction request. */
  readonly onAnswer: (answer: EvictionAnswer) => void;
  readonly nowSeconds: () => number;
}

// A shorter stall is harmless on any node.
const STALLED_FRACTION = 0.05;

/** Senses swap pressure each second, and evicts a pod whose eviction relieves it. */
export class Evictor {
  readonly #options: EvictorOptions;
  readonly #requester: EvictionRequester;
  readonly #publisher: PressurePublisher;
  readonly #connections: WarmConnections;
  readonly #decisionLog: DecisionLog;
  readonly #holdReport = new HoldReport((note) => void this.#requester.publishHold(note));
  #state: EvictionState = NO_EVICTIONS;
  #decision: EvictionDecision | undefined;
  #observation: Observation | undefined;
  /** Pods of the last snapshot. */
  #pods: Snapshot["pods"] = [];
  #hasResumed = false;
  #isActing = false;

  constructor(options: EvictorOptions) {
    const { server, nodeName, nowSeconds, reporter } = options;
    this.#options = options;
    this.#requester = new EvictionRequester({
      ...options,
      isStillWanted: (decision) => this.#isStillWanted(decision),
    });
    this.#decisionLog = new DecisionLog(reporter.log);
    this.#connections = new WarmConnections(server, nowSeconds);
    this.#publisher = new PressurePublisher(server, nodeName, nowSeconds, {
      onTaint: (effect) => reporter.log(effect === undefined ? "node-untainted" : "node-tainted", { effect }),
      onRestored: (lost) => reporter.log("node-mark-restored", { lost }),
      onContest: (isContested) =>
        reporter.log(isContested ? "node-mark-contested" : "node-mark-uncontested", {}),
      onError: ({ message }) => reporter.begin("node-unmarked", message),
      onSuccess: () => reporter.end("node-unmarked"),
    });
  }

  /** Values of the signals; undefined before the first snapshot. */
  get observation(): Observation | undefined {
    return this.#observation;
  }

  /** True while an eviction is requested, or its victim awaited. */
  get isEvicting(): boolean {
    return this.#isActing || this.#state.awaited !== undefined;
  }

  /** Reason for which the last decision evicts no pod; undefined if it does, and while none is made. */
  get holdReason(): EvictionHoldReason | undefined {
    return this.#decision?.verdict === "hold" ? this.#decision.reason : undefined;
  }

  /** Thresholds by name, true for a crossed one. */
  get thresholds(): Readonly<Record<string, boolean>> {
    const names = this.#options.config().evictionThresholds.map(({ name }) => name);
    return Object.fromEntries(names.map((name) => [name, this.#state.thresholds[name]?.isCrossed ?? false]));
  }

  /** Takes a snapshot, decides, and begins the decided action; to be called each second. Never throws. */
  tick(): void {
    const config = this.#options.config();
    const isEnforced = config.evictionMode === "Enforce";
    if (!isEnforced) void this.#publisher.withdraw();
    if (config.evictionMode === "Off") {
      this.#forget();
      return;
    }
    const snapshot = this.#takeSnapshot();
    if (snapshot === undefined) return;
    if (isEnforced) this.#resume(config);
    const { decision, ...step } = decideEviction(this.#state, snapshot, config);
    const { observation } = step;
    this.#state = step.state;
    this.#observation = observation;
    this.#pods = snapshot.pods;
    const isUnsure = isEnforced && !this.#hasResumed;
    const followed = decision.verdict === "evict" ? this.#permitted(decision, isUnsure) : decision;
    this.#decision = followed;
    const basis = { ...step, snapshot, config };
    this.#decisionLog.take(followed, basis);
    this.#holdReport.take(this.holdReason, basis);
    if (followed.verdict === "evict" && !this.#isActing) void this.#carryOut(followed, config);
    if (!isUnsure && isEnforced) this.#publish(config, observation);
    // After the requests, which take the connections that are open.
    if (isEnforced && !this.#isActing && this.#isClose) void this.#connections.keep();
  }

  /** Aborts requests in progress, and removes the taint; gives up after some seconds. */
  async leave(): Promise<void> {
    const hasMarks = this.#options.config().evictionMode === "Enforce" || this.#publisher.isPublished;
    this.#connections.close();
    await Promise.all([this.#requester.leave(), hasMarks && this.#publisher.leave()]);
  }

  // Earlier pressure means nothing once eviction is turned on again; earlier evictions still count.
  #forget(): void {
    const { signalHistory, thresholds, pressedSinceSeconds, inheritedUntilSeconds } = NO_EVICTIONS;
    this.#state = { ...this.#state, signalHistory, thresholds, pressedSinceSeconds, inheritedUntilSeconds };
    this.#observation = undefined;
    this.#decision = undefined;
    this.#holdReport.reset();
    this.#decisionLog.reset();
  }

  /** True if the node is under pressure or may soon be. */
  get #isClose(): boolean {
    const isMetSomewhere = Object.values(this.#state.thresholds).some(
      ({ metSinceSeconds }) => metSinceSeconds !== undefined,
    );
    // Who is harmed, and by whom, shows in the figures of the pods and containers only.
    const isStalled = (this.#observation?.anyStall ?? 0) >= STALLED_FRACTION;
    return isMetSomewhere || isStalled || isPressed(this.#state);
  }

  // On a quiet node, the figures of all containers are not worth reading each second.
  #takeSnapshot(): Snapshot | undefined {
    try {
      const snapshot = this.#options.takeSnapshot(this.#isClose);
      this.#options.reporter.end("node-unknown");
      return snapshot;
    } catch (error) {
      this.#options.reporter.begin("node-unknown", (error as Error).message);
      return undefined;
    }
  }

  /** Resumes the state that an earlier agent recorded on the node, once the node could be read. */
  #resume(config: EvictorConfig): void {
    if (this.#hasResumed) return;
    const { found } = this.#publisher;
    if (found === undefined) {
      void this.#publisher.readNode();
      return;
    }
    const now = this.#options.nowSeconds();
    const past = recordedPast(found, config.taintEffect, now);
    this.#hasResumed = true;
    this.#state = resumeEvictions(this.#state, past, config, now);
    const wasPressed = past.pressedSinceSeconds !== undefined;
    if (wasPressed || this.#state.evicted.length > 0)
      this.#options.reporter.log("eviction-resumed", {
        isPressed: wasPressed,
        evictedLastHour: this.#state.evicted.length,
        cooldownSeconds: Math.max(0, Math.round(this.#state.cooldownUntilSeconds - now)),
      });
  }

  #publish(config: EvictorConfig, observation: Observation): void {
    const taintEffect = config.taintEffect === "None" ? undefined : config.taintEffect;
    const isInherited = this.#state.inheritedUntilSeconds !== undefined;
    const { reason: held, words } = this.#holdReport;
    const message = `${isInherited ? INHERITED : ""}${words}${sentenceOf(observation)}`;
    void this.#publisher.publish({ isPressed: isPressed(this.#state), held, message, taintEffect });
  }

  async #carryOut(decision: Eviction, config: EvictorConfig): Promise<void> {
    this.#isActing = true;
    try {
      this.#options.reporter.log(
        "eviction-decided",
        fieldsOf(decision, config.evictionMode, this.#observation),
      );
      const reply = await this.#requester.request(decision, this.#state.evicted, config);
      if (reply === undefined) return;
      const { uid } = decision.victim.pod;
      const { answer, retryAfterSeconds } = reply;
      const now = this.#options.nowSeconds();
      this.#state = withAnswer(this.#state, uid, answer, config, now, retryAfterSeconds);
      this.#options.onAnswer(answer);
      // The next decision does not wait for Events.
      void this.#requester.publish(decision, reply, this.#observation);
    } finally {
      this.#isActing = false;
    }
  }

  #permitted(decision: Eviction, isUnsure: boolean): EvictionDecision {
    if (isUnsure) return PAST_UNKNOWN;
    return this.#isStopped ? STOPPED : decision;
  }

  get #isStopped(): boolean {
    return this.#options.isStopped(this.#publisher.found);
  }

  // A stall oscillates, so one quiet sample is no end of the pressure: that has a rule of its own.
  #isStillWanted({ victim }: Eviction): boolean {
    const isThere = this.#pods.some(({ uid }) => uid === victim.pod.uid);
    const isEnforced = this.#options.config().evictionMode === "Enforce";
    return isThere && isEnforced && !this.#isStopped && isPressed(this.#state);
  }
}

const INHERITED = "Pressure that an earlier agent sensed, and that is not over yet. ";
const PAST_UNKNOWN: EvictionDecision = { verdict: "hold", reason: "past-unknown" };
const STOPPED: EvictionDecision = { verdict: "hold", reason: "stopped" };
