import type { ApiServer } from "../cluster/api-server.ts";
import { setSwapPressure } from "../cluster/node-condition.ts";
import { type SwapPressureTaint, setTaint } from "../cluster/node-taint.ts";

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
  /** The node was tainted, or is no more. */
  onTaint(isTainted: boolean): void;
  /** The node could not be marked; there is another try. */
  onError(error: Error): void;
  /** It could again. */
  onSuccess(): void;
}

const HEARTBEAT_SECONDS = 300;
const RETRY_SECONDS = 5;
const PARTING_MILLISECONDS = 700;

/** Keeps the node's condition SwapPressure and its taint as they should be, one request after another. */
export class NodeMarks {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #nowSeconds: () => number;
  readonly #listener: NodeMarksListener;
  readonly #closing = new AbortController();
  #shown: string | undefined;
  #heartbeatSeconds = Number.NEGATIVE_INFINITY;
  #retrySeconds = Number.NEGATIVE_INFINITY;
  #isBusy = false;
  #isMarked = false;

  /** The clock is one that never jumps, in seconds. */
  constructor(server: ApiServer, nodeName: string, nowSeconds: () => number, listener: NodeMarksListener) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#nowSeconds = nowSeconds;
    this.#listener = listener;
  }

  /**
   * Has the node show this: at once when it is another thing than before, and now and then as a sign of life. The first
   * time takes away what an agent before left behind.
   */
  async show(mark: Mark): Promise<void> {
    const key = `${mark.isPressed} ${mark.taintEffect}`;
    const isDue = key !== this.#shown || this.#nowSeconds() >= this.#heartbeatSeconds;
    if (!isDue) return;
    await this.#attempt(async () => {
      this.#isMarked = true;
      await this.#mark(mark, this.#closing.signal);
      this.#shown = key;
      this.#heartbeatSeconds = this.#nowSeconds() + HEARTBEAT_SECONDS;
    });
  }

  /** Takes back what was shown, because nobody evicts here any more; does nothing where nothing was. */
  async withdraw(): Promise<void> {
    if (!this.#isMarked) return;
    const parting = { reason: "EvictionNotEnforced", message: "Nobody is evicted here any more." };
    await this.#attempt(async () => {
      const [hasChanged] = await Promise.all(this.#part(parting, this.#closing.signal));
      this.#isMarked = false;
      this.#shown = undefined;
      if (hasChanged) this.#listener.onTaint(false);
    });
  }

  /** Takes the taint away, and leaves word that nobody senses any more; gives up soon. */
  async leave(): Promise<void> {
    this.#closing.abort();
    const parting = { reason: "AgentStopped", message: "The agent has ended." };
    await Promise.allSettled(this.#part(parting, AbortSignal.timeout(PARTING_MILLISECONDS)));
  }

  /** Whether something is on the node that is to be taken back. */
  get isMarked(): boolean {
    return this.#isMarked;
  }

  /** Does this unless something is being done, or has failed a moment ago. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#isBusy || this.#nowSeconds() < this.#retrySeconds) return;
    this.#isBusy = true;
    try {
      await work();
      this.#listener.onSuccess();
    } catch (error) {
      this.#shown = undefined;
      this.#retrySeconds = this.#nowSeconds() + RETRY_SECONDS;
      if (!this.#closing.signal.aborted) this.#listener.onError(error as Error);
    } finally {
      this.#isBusy = false;
    }
  }

  #part(words: { readonly reason: string; readonly message: string }, closing: AbortSignal) {
    return [
      setTaint(this.#server, this.#nodeName, undefined, closing),
      setSwapPressure(this.#server, this.#nodeName, { status: "Unknown", ...words }, Date.now(), closing),
    ] as const;
  }

  async #mark({ isPressed, message, taintEffect }: Mark, closing: AbortSignal): Promise<void> {
    const taint = isPressed && taintEffect !== undefined ? { effect: taintEffect } : undefined;
    const hasChanged = await setTaint(this.#server, this.#nodeName, taint, closing);
    if (hasChanged) this.#listener.onTaint(taint !== undefined);
    const reason = isPressed ? "SwapHurts" : "SwapIsQuiet";
    const status = isPressed ? "True" : "False";
    await setSwapPressure(this.#server, this.#nodeName, { status, reason, message }, Date.now(), closing);
  }
}
