import { setTimeout as sleep } from "node:timers/promises";
import { type BackoffRange, backoffMilliseconds } from "../policy/backoff.ts";
import type { ContainerUpdate, PluginHandlers } from "./handlers.ts";
import type { SessionEvent } from "./methods.ts";
import { type PluginIdentity, type PluginTimeouts, Session, type SessionEnd } from "./session.ts";
import { messageOf } from "./status.ts";
import { Trunk } from "./trunk.ts";

/** Time-outs and delays, in milliseconds. */
export interface PluginTiming extends PluginTimeouts {
  /** Delay between two attempts to connect. */
  readonly retry: BackoffRange;
  /** Returns the part of that delay that is waited, from 0 to 1. */
  readonly random: () => number;
}

// As in containerd/nri, pkg/api/timeouts.go; a restarted runtime is found again within seconds.
const TIMING: PluginTiming = {
  registrationMilliseconds: 5000,
  requestMilliseconds: 2000,
  retry: { firstMilliseconds: 500, maxMilliseconds: 15_000 },
  random: Math.random,
};

/** Reason for the lack of a connection. */
export interface Disconnection {
  readonly kind: "unreachable" | SessionEnd["kind"];
  readonly reason: string;
}

/** Event of a plugin. */
export type PluginEvent =
  /** The socket accepted the connection. */
  | { readonly kind: "connected" }
  | SessionEvent
  /** The connection ended or could not be made; the delay is undefined if it is not tried again. */
  | (Disconnection & { readonly retryMilliseconds: number | undefined });

/** Reason for the end of a plugin. */
export type PluginEnd = { readonly kind: "stopped" } | Disconnection;

/** Options of a plugin. */
export interface PluginOptions extends PluginIdentity {
  /** Path of the runtime's socket, or the file descriptor that a runtime left open for a plugin that it started. */
  readonly socket: string | number;
  readonly handlers: PluginHandlers;
  /** Ends at the end of the first connection, as always for a file descriptor. */
  readonly isExitedOnDisconnect: boolean;
  readonly report: (event: PluginEvent) => void;
  readonly timing?: Partial<PluginTiming>;
}

// The runtime's own rules, checked before it is asked.
function check({ name, index }: PluginIdentity): void {
  if (!/^[A-Za-z0-9._+-]+$/.test(name))
    throw new Error(`plugin name ${JSON.stringify(name)}: must be letters, digits, and any of . _ + -`);
  if (!/^[0-9]{2}$/.test(index))
    throw new Error(`plugin index ${JSON.stringify(index)}: must be two digits, 00 to 99`);
}

/** Plugin that registers with the runtime at a socket, and reconnects until it is stopped. */
export class NriPlugin {
  readonly #options: PluginOptions;
  readonly #timing: PluginTiming;
  readonly #stopping = new AbortController();
  #session: Session | undefined;
  #failures = 0;

  /** Resolves when the plugin has ended; never rejects. */
  readonly ended: Promise<PluginEnd>;

  /** Throws an Error if the name or the index is invalid. */
  constructor(options: PluginOptions) {
    check(options);
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    this.ended = this.#run();
  }

  async #run(): Promise<PluginEnd> {
    const { report, socket, isExitedOnDisconnect } = this.#options;
    const isLast = isExitedOnDisconnect || typeof socket === "number";
    for (;;) {
      const end = await this.#connect();
      if (this.#stopping.signal.aborted) return { kind: "stopped" };
      this.#failures += 1;
      const { random, retry } = this.#timing;
      const milliseconds = backoffMilliseconds(this.#failures, random(), retry);
      report({ ...end, retryMilliseconds: isLast ? undefined : milliseconds });
      if (isLast) return end;
      // Rejects if stopped.
      await sleep(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return { kind: "stopped" };
    }
  }

  /** Ends the connection and the plugin. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#session?.close();
    await this.ended;
  }

  /**
   * Sends updates of existing containers to the runtime; returns the ids of those that failed. Throws an Error if there is
   * no connection, the runtime times out, or it fails the whole request, as containerd does if one update fails.
   */
  async updateContainers(updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    if (this.#session === undefined)
      throw new Error("UpdateContainers: there is no connection to the runtime");
    return this.#session.updateContainers(updates);
  }

  /** Connects, and waits for the end of the connection. */
  async #connect(): Promise<Disconnection> {
    const { socket, handlers, report } = this.#options;
    try {
      await Trunk.open(socket, (trunk) => {
        this.#session = new Session(trunk, handlers, this.#timing, (event) => this.#onSessionEvent(event));
        return this.#session;
      });
    } catch (error) {
      const place = typeof socket === "number" ? `file descriptor ${socket}` : socket;
      const { code } = error as { readonly code?: string };
      return { kind: "unreachable", reason: `${place}: ${messageOf(error)} (${code})` };
    }
    const session = this.#session;
    if (session === undefined) return { kind: "unreachable", reason: "the socket was not opened" };
    if (this.#stopping.signal.aborted) session.close();
    else report({ kind: "connected" });
    void session.register(this.#options);
    const end = await session.ended;
    this.#session = undefined;
    return end;
  }

  #onSessionEvent(event: SessionEvent): void {
    // Not at the registration: a runtime that drops a plugin right after it must not be asked faster.
    if (event.kind === "synchronized") this.#failures = 0;
    this.#options.report(event);
  }
}
