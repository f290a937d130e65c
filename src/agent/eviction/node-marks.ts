import type { ApiServer } from "../../cluster/api-server.ts";
import { getNode, type Node } from "../../cluster/node.ts";
import { setSwapPressure, swapPressureStatus } from "../../cluster/node-condition.ts";
import { hasTaint, type SwapPressureTaint, setTaint } from "../../cluster/node-taint.ts";
import { calmed, contested, restoreAt, restored, UNCONTESTED } from "../../policy/limits/contest.ts";
import { IN_PROGRESS_MILLISECONDS, LEAVE_MILLISECONDS, makeLastRequest } from "./last-requests.ts";

/** What is to be seen on the node. */
export interface Mark {
  readonly isPressed: boolean;
  /** For humans: the figures. */
  readonly message: string;
  /** Undefined for no taint, whatever the pressure. */
  readonly taintEffect: SwapPressureTaint["effect"] | undefined;
}

/** Whom NodeMarks tells. */
export interface NodeMarksListener {
  /** The node was tainted with this effect, or is no more where it is undefined. */
  onTaint(effect: SwapPressureTaint["effect"] | undefined): void;
  /** Somebody else had undone these of the marks, and they were put back. */
  onRestored(lost: string): void;
  /** Somebody else undoes them again and again, or does so no more. */
  onContest(isContested: boolean): void;
  /** The node could not be read or marked; there is another try. */
  onError(error: Error): void;
  /** It could again. */
  onSuccess(): void;
}

const HEARTBEAT_SECONDS = 300;
const CHECK_SECONDS = 15;
const RESTORES_PER_MINUTE = 2;
const RETRY_SECONDS = 5;

/** Keeps the node's condition SwapPressure and its taint as they should be, one request after another. */
export class NodeMarks {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #nowSeconds: () => number;
  readonly #listener: NodeMarksListener;
  readonly #closing = new AbortController();
  #found: Node | undefined;
  #shown: string | undefined;
  #heartbeatSeconds = Number.NEGATIVE_INFINITY;
  #checkSeconds = Number.NEGATIVE_INFINITY;
  #retrySeconds = Number.NEGATIVE_INFINITY;
  #contest = UNCONTESTED;
  #underWay: Promise<void> | undefined;
  #isMarked = false;
  #isLeaving = false;

  /** The clock is one that never jumps, in seconds. */
  constructor(server: ApiServer, nodeName: string, nowSeconds: () => number, listener: NodeMarksListener) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#nowSeconds = nowSeconds;
    this.#listener = listener;
  }

  /** The node as it was found before it was marked from here; undefined as long as it could not be read. */
  get found(): Node | undefined {
    return this.#found;
  }

  /** Reads the node as an agent before this one left it. */
  async find(): Promise<void> {
    await this.#attempt(async () => {
      this.#found = await getNode(this.#server, this.#nodeName, this.#closing.signal);
    });
  }

  /**
   * Has the node show this: at once when it is another thing than before, and now and then as a sign of life. Under
   * pressure it is looked after more often, as somebody else may have changed it.
   */
  async show(mark: Mark): Promise<void> {
    const key = `${mark.isPressed} ${mark.taintEffect}`;
    const now = this.#nowSeconds();
    if (key !== this.#shown || now >= this.#heartbeatSeconds)
      await this.#attempt(() => this.#mark(mark, key));
    else if (mark.isPressed && now >= this.#checkSeconds) await this.#attempt(() => this.#lookAfter(mark));
  }

  /** Takes back what was shown, because nobody evicts here any more; does nothing where nothing was. */
  async withdraw(): Promise<void> {
    if (!this.#isMarked) return;
    const parting = { reason: "EvictionNotEnforced", message: "Nobody is evicted here any more." };
    await this.#attempt(async () => {
      await this.#part(parting, this.#closing.signal);
      this.#isMarked = false;
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

  /** Whether something is on the node that is to be taken back. */
  get isMarked(): boolean {
    return this.#isMarked;
  }

  /** Does this unless something is being done, or has failed a moment ago. */
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

  async #mark(mark: Mark, key: string): Promise<void> {
    this.#isMarked = true;
    if (await this.#setTaint(mark)) this.#listener.onTaint(taintOf(mark)?.effect);
    // `leave` waits for this.
    if (this.#isLeaving) return;
    await this.#setCondition(mark);
    this.#shown = key;
    this.#heartbeatSeconds = this.#nowSeconds() + HEARTBEAT_SECONDS;
    this.#checkSeconds = this.#nowSeconds() + CHECK_SECONDS;
  }

  async #lookAfter(mark: Mark): Promise<void> {
    const node = await getNode(this.#server, this.#nodeName, this.#closing.signal);
    const now = this.#nowSeconds();
    this.#checkSeconds = now + CHECK_SECONDS;
    const before = this.#contest;
    const lost = lostOf(node, mark);
    const isLost = lost.length > 0;
    this.#contest = isLost ? contested(before, now, RESTORES_PER_MINUTE) : calmed(before, now);
    if (this.#contest.isContested !== before.isContested) this.#listener.onContest(this.#contest.isContested);
    if (this.#isLeaving || !isLost || restoreAt(this.#contest, now, RESTORES_PER_MINUTE) > now) return;
    await this.#setTaint(mark);
    await this.#setCondition(mark);
    this.#contest = restored(this.#contest, now);
    this.#listener.onRestored(lost.join(", "));
  }

  async #setTaint(mark: Mark): Promise<boolean> {
    return await setTaint(this.#server, this.#nodeName, taintOf(mark), this.#closing.signal);
  }

  async #setCondition({ isPressed, message }: Mark): Promise<void> {
    const pressure = isPressed
      ? ({ status: "True", reason: "SwapHurts", message } as const)
      : ({ status: "False", reason: "SwapIsQuiet", message } as const);
    await setSwapPressure(this.#server, this.#nodeName, pressure, Date.now(), this.#closing.signal);
  }

  // One after the other, or the second would have the first refused for a change in between.
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

function taintOf({ isPressed, taintEffect }: Mark): SwapPressureTaint | undefined {
  return isPressed && taintEffect !== undefined ? { effect: taintEffect } : undefined;
}

function lostOf(node: Node, mark: Mark): readonly string[] {
  const status = mark.isPressed ? "True" : "False";
  return [
    ...(hasTaint(node, taintOf(mark)) ? [] : ["taint"]),
    ...(swapPressureStatus(node) === status ? [] : ["condition"]),
  ];
}
