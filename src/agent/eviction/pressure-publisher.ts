import type { ApiServer } from "../../cluster/api-server.ts";
import { getNode, type Node } from "../../cluster/node.ts";
import { setSwapPressure, swapPressureStatus } from "../../cluster/node-condition.ts";
import { hasTaint, type SwapPressureTaint, setTaint } from "../../cluster/node-taint.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import { IN_PROGRESS_MILLISECONDS, LEAVE_MILLISECONDS, makeLastRequest } from "./last-requests.ts";
import type { PersonsReason } from "./lasting-hold.ts";

/** Swap pressure as the node shows it: its condition SwapPressure and its taint. */
export interface PressureStatus {
  readonly isPressed: boolean;
  /** Reason for which no pod is evicted, if that needs a person; the message names it. */
  readonly held?: PersonsReason | undefined;
  /** Figures in a sentence. */
  readonly message: string;
  /** Effect of the taint while under pressure; undefined for no taint. */
  readonly taintEffect: SwapPressureTaint["effect"] | undefined;
}

/** Receiver of the publisher's events. */
export interface PressurePublisherListener {
  /** Called when the node was tainted with this effect; undefined if its taint was removed. */
  onTaint(effect: SwapPressureTaint["effect"] | undefined): void;
  /** Called when the taint or condition was restored after another client had changed it. */
  onRestored(lost: string): void;
  /** Called when another client begins or stops changing them repeatedly. */
  onContest(isContested: boolean): void;
  /** Called if the node could not be read or written; it is tried again. */
  onError(error: Error): void;
  /** Called when the node was read or written. */
  onSuccess(): void;
}

const HEARTBEAT_SECONDS = 300;
const CHECK_SECONDS = 15;
const RESTORES_PER_MINUTE = 2;
const RETRY_SECONDS = 5;

/** Publishes swap pressure as the node's condition SwapPressure and its taint, one request at a time. */
export class PressurePublisher {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #nowSeconds: () => number;
  readonly #listener: PressurePublisherListener;
  readonly #closing = new AbortController();
  #found: Node | undefined;
  #shown: string | undefined;
  #heartbeatSeconds = Number.NEGATIVE_INFINITY;
  #checkSeconds = Number.NEGATIVE_INFINITY;
  #retrySeconds = Number.NEGATIVE_INFINITY;
  #contest = UNCONTESTED;
  #underWay: Promise<void> | undefined;
  #isPublished = false;
  #isLeaving = false;

  /** Takes a clock in seconds that never jumps. */
  constructor(
    server: ApiServer,
    nodeName: string,
    nowSeconds: () => number,
    listener: PressurePublisherListener,
  ) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#nowSeconds = nowSeconds;
    this.#listener = listener;
  }

  /** Node as it was before this agent published anything; undefined until it could be read. */
  get found(): Node | undefined {
    return this.#found;
  }

  /** Reads the node as an earlier agent left it. */
  async readNode(): Promise<void> {
    await this.#attempt(async () => {
      this.#found = await getNode(this.#server, this.#nodeName, this.#closing.signal);
    });
  }

  /**
   * Publishes a status: at once if it has changed, and periodically as a heartbeat. Under pressure, checks more often
   * whether another client has changed it.
   */
  async publish(status: PressureStatus): Promise<void> {
    const key = `${status.isPressed} ${status.taintEffect} ${status.held}`;
    const now = this.#nowSeconds();
    if (key !== this.#shown || now >= this.#heartbeatSeconds)
      await this.#attempt(() => this.#write(status, key));
    else if (status.isPressed && now >= this.#checkSeconds) await this.#attempt(() => this.#check(status));
  }

  /** Removes the taint, because eviction is no longer enforced; does nothing if nothing was published. */
  async withdraw(): Promise<void> {
    if (!this.#isPublished) return;
    const parting = {
      reason: "EvictionNotEnforced",
      message: "Eviction is no longer enforced on this node.",
    };
    await this.#attempt(async () => {
      await this.#part(parting, this.#closing.signal);
      this.#isPublished = false;
      this.#shown = undefined;
    });
  }

  /**
   * Removes the taint and sets the condition to Unknown, because the agent ends. Retries until the pod's grace period is
   * nearly over: a taint that is left keeps pods away until an agent runs here again.
   */
  async leave(): Promise<void> {
    const deadline = AbortSignal.timeout(LEAVE_MILLISECONDS);
    const parting = { reason: "AgentStopped", message: "The agent has ended." };
    this.#isLeaving = true;
    // The server may handle a request in progress after those that follow here.
    await Promise.race([this.#underWay, Bun.sleep(IN_PROGRESS_MILLISECONDS)]);
    this.#closing.abort();
    await makeLastRequest(deadline, (closing) => this.#removeTaint(closing));
    await makeLastRequest(deadline, (closing) => this.#setUnknown(parting, closing));
  }

  /** True while the node has a published status. */
  get isPublished(): boolean {
    return this.#isPublished;
  }

  /** Does this unless a request is in progress or has just failed. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#underWay !== undefined || this.#nowSeconds() < this.#retrySeconds) return;
    this.#underWay = this.#try(work);
    await this.#underWay;
    this.#underWay = undefined;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#listener.onSuccess();
    } catch (error) {
      this.#shown = undefined;
      this.#retrySeconds = this.#nowSeconds() + RETRY_SECONDS;
      if (!this.#closing.signal.aborted) this.#listener.onError(error as Error);
    }
  }

  async #write(status: PressureStatus, key: string): Promise<void> {
    this.#isPublished = true;
    if (await this.#setTaint(status)) this.#listener.onTaint(taintOf(status)?.effect);
    // `leave` waits for this.
    if (this.#isLeaving) return;
    await this.#setCondition(status);
    this.#shown = key;
    this.#heartbeatSeconds = this.#nowSeconds() + HEARTBEAT_SECONDS;
    this.#checkSeconds = this.#nowSeconds() + CHECK_SECONDS;
  }

  async #check(status: PressureStatus): Promise<void> {
    const node = await getNode(this.#server, this.#nodeName, this.#closing.signal);
    const now = this.#nowSeconds();
    this.#checkSeconds = now + CHECK_SECONDS;
    const before = this.#contest;
    const lost = lostOf(node, status);
    const isLost = lost.length > 0;
    this.#contest = isLost ? contested(before, now, RESTORES_PER_MINUTE) : calmed(before, now);
    if (this.#contest.isContested !== before.isContested) this.#listener.onContest(this.#contest.isContested);
    if (this.#isLeaving || !isLost || restoreAt(this.#contest, now, RESTORES_PER_MINUTE) > now) return;
    await this.#setTaint(status);
    await this.#setCondition(status);
    this.#contest = restored(this.#contest, now);
    this.#listener.onRestored(lost.join(", "));
  }

  async #setTaint(status: PressureStatus): Promise<boolean> {
    return await setTaint(this.#server, this.#nodeName, taintOf(status), this.#closing.signal);
  }

  async #setCondition({ isPressed, message }: PressureStatus): Promise<void> {
    const pressure = isPressed
      ? ({ status: "True", reason: "SwapHurts", message } as const)
      : ({ status: "False", reason: "SwapIsQuiet", message } as const);
    await setSwapPressure(this.#server, this.#nodeName, pressure, Date.now(), this.#closing.signal);
  }

  // One after the other: concurrent writes of a node conflict.
  async #part(
    words: { readonly reason: string; readonly message: string },
    closing: AbortSignal,
  ): Promise<void> {
    try {
      await this.#removeTaint(closing);
    } finally {
      await this.#setUnknown(words, closing);
    }
  }

  async #removeTaint(closing: AbortSignal): Promise<void> {
    if (await setTaint(this.#server, this.#nodeName, undefined, closing)) this.#listener.onTaint(undefined);
  }

  async #setUnknown(
    words: { readonly reason: string; readonly message: string },
    closing: AbortSignal,
  ): Promise<void> {
    const unknown = { status: "Unknown", ...words } as const;
    await setSwapPressure(this.#server, this.#nodeName, unknown, Date.now(), closing);
  }
}

function taintOf({ isPressed, taintEffect }: PressureStatus): SwapPressureTaint | undefined {
  return isPressed && taintEffect !== undefined ? { effect: taintEffect } : undefined;
}

function lostOf(node: Node, pressure: PressureStatus): readonly string[] {
  const status = pressure.isPressed ? "True" : "False";
  return [
    ...(hasTaint(node, taintOf(pressure)) ? [] : ["taint"]),
    ...(swapPressureStatus(node) === status ? [] : ["condition"]),
  ];
}
