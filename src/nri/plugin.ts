import { setTimeout as sleep } from "node:timers/promises";
import { type BackoffRange, backoffMilliseconds } from "../policy/backoff.ts";
import type { ContainerUpdate, PluginHandlers } from "./handlers.ts";
import { type Identity, type Patience, Session, type SessionEnd, type SessionEvent } from "./session.ts";
import { messageOf } from "./status.ts";
import { Trunk } from "./trunk.ts";

/** How long things take, in milliseconds. */
export interface Timing extends Patience {
  /** Between two attempts to connect. */
  readonly retry: BackoffRange;
  /** Which part of that time, from 0 to 1. */
  readonly random: () => number;
}

// As containerd/nri has it in pkg/api/timeouts.go; a runtime that restarts is found again within seconds.
const TIMING: Timing = {
  registrationMilliseconds: 5000,
  requestMilliseconds: 2000,
  retry: { firstMilliseconds: 500, maxMilliseconds: 15_000 },
  random: Math.random,
};

/** Why there is no connection. */
export interface Disconnection {
  readonly kind: "unreachable" | SessionEnd["kind"];
  readonly reason: string;
}

/** What a plugin tells of itself. */
export type PluginEvent =
  /** Somebody listens at the socket. */
  | { readonly kind: "connected" }
  | SessionEvent
  /** There is no connection any more, or none could be made; undefined when none is tried again. */
  | (Disconnection & { readonly retryMilliseconds: number | undefined });

/** Why a plugin has ended. */
export type PluginEnd = { readonly kind: "stopped" } | Disconnection;

/** How a plugin finds its runtime, and what it does there. */
export interface PluginOptions extends Identity {
  /** A path, or the file descriptor that the runtime which started the plugin left open. */
  readonly socket: string | number;
  readonly handlers: PluginHandlers;
  /** Never connects again; so it is for a file descriptor anyway. */
  readonly isExitedOnDisconnect: boolean;
  readonly report: (event: PluginEvent) => void;
  readonly timing?: Partial<Timing>;
}

/** A plugin at work. */
export interface NriPlugin {
  /** Settles once the plugin does nothing any more; never rejects. */
  readonly ended: Promise<PluginEnd>;
  /** Ends the connection, and connects no more. */
  stop(): Promise<void>;
  /**
   * Asks the runtime for changes to containers that are there, and gives the ids of those that failed; throws when it
   * is not connected, does not answer in time, or fails the request as such: containerd does so when one fails.
   */
  updateContainers(updates: readonly ContainerUpdate[]): Promise<readonly string[]>;
}

/**
 * Keeps a plugin registered with the runtime at a socket, from connection to connection, until it is stopped; throws
 * when it cannot be registered under such a name or index.
 */
export function startPlugin(options: PluginOptions): NriPlugin {
  check(options);
  const plugin = new Plugin(options);
  const ended = plugin.run();
  return {
    ended,
    async stop() {
      plugin.stop();
      await ended;
    },
    updateContainers: (updates) => plugin.updateContainers(updates),
  };
}

// The runtime's own rules, told before it is asked.
function check({ name, index }: Identity): void {
  if (!/^[A-Za-z0-9._+-]+$/.test(name))
    throw new Error(`plugin name ${JSON.stringify(name)}: must be letters, digits, and any of . _ + -`);
  if (!/^[0-9]{2}$/.test(index))
    throw new Error(`plugin index ${JSON.stringify(index)}: must be two digits, 00 to 99`);
}

class Plugin {
  readonly #options: PluginOptions;
  readonly #timing: Timing;
  readonly #stopping = new AbortController();
  #session: Session | undefined;
  #failures = 0;

  constructor(options: PluginOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
  }

  async run(): Promise<PluginEnd> {
    const { report, socket, isExitedOnDisconnect } = this.#options;
    const isLast = isExitedOnDisconnect || typeof socket === "number";
    for (;;) {
      const end = await this.#connection();
      if (this.#stopping.signal.aborted) return { kind: "stopped" };
      this.#failures += 1;
      const { random, retry } = this.#timing;
      const milliseconds = backoffMilliseconds(this.#failures, random(), retry);
      report({ ...end, retryMilliseconds: isLast ? undefined : milliseconds });
      if (isLast) return end;
      // Stopped meanwhile.
      await sleep(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) return { kind: "stopped" };
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#session?.close();
  }

  async updateContainers(updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    if (this.#session === undefined)
      throw new Error("UpdateContainers: there is no connection to the runtime");
    return this.#session.updateContainers(updates);
  }

  /** From the attempt to connect to the end of the connection. */
  async #connection(): Promise<Disconnection> {
    const { socket, handlers, report } = this.#options;
    try {
      await Trunk.open(socket, (trunk) => {
        this.#session = new Session(trunk, handlers, this.#timing, (event) => this.#noticed(event));
        return this.#session;
      });
    } catch (error) {
      const place = typeof socket === "number" ? `file descriptor ${socket}` : socket;
      const { code } = error as { readonly code?: string };
      return { kind: "unreachable", reason: `${place}: ${messageOf(error)} (${code})` };
    }
    const session = this.#session;
    if (session === undefined) return { kind: "unreachable", reason: "the socket was never open" };
    if (this.#stopping.signal.aborted) session.close();
    else report({ kind: "connected" });
    void session.register(this.#options);
    const end = await session.ended;
    this.#session = undefined;
    return end;
  }

  #noticed(event: SessionEvent): void {
    // Not at the registration: a runtime that takes a plugin and sends it away at once is not to be hurried.
    if (event.kind === "synchronized") this.#failures = 0;
    this.#options.report(event);
  }
}
