import { answerRequest, type PluginMethods } from "./answers.ts";
import { RuntimeCalls } from "./calls.ts";
import { FrameReader, PLUGIN_STREAM, RUNTIME_STREAM, toFrames } from "./frames.ts";
import { updateOf } from "./from-wire.ts";
import type { ContainerUpdate, NriRuntime, PluginHandlers } from "./handlers.ts";
import { LongRequest } from "./long-request.ts";
import { encodeMessage, MessageReader, REQUEST, RESPONSE, type TtrpcMessage } from "./messages.ts";
import { pluginMethods, type SessionEvent } from "./methods.ts";
import { messageOf } from "./status.ts";
import { Synchronization } from "./synchronization.ts";
import type { Trunk, TrunkReader } from "./trunk.ts";

/** Writing side of a connection. */
export type Outlet = Pick<Trunk, "write" | "close" | "isClosed">;

/** Name and index under which a plugin registers. */
export interface PluginIdentity {
  readonly name: string;
  /** Two digits. */
  readonly index: string;
}

/** Time-outs of the runtime's answers, in milliseconds. */
export interface PluginTimeouts {
  readonly registrationMilliseconds: number;
  /** Used unless the runtime reports its own time-out. */
  readonly requestMilliseconds: number;
}

/** Reason for the end of a connection. */
export interface SessionEnd {
  readonly kind: "refused" | "disconnected" | "protocol-error";
  readonly reason: string;
}

// The largest delay of setTimeout.
const MAX_TIMEOUT_MILLISECONDS = 2 ** 31 - 1;

/** One connection to a runtime, from the registration to its end. */
export class Session implements TrunkReader {
  readonly #trunk: Outlet;
  readonly #handlers: PluginHandlers;
  readonly #report: (event: SessionEvent) => void;
  readonly #timeouts: PluginTimeouts;
  readonly #methods: PluginMethods;
  readonly #synchronization: Synchronization;
  readonly #frames = new FrameReader();
  readonly #requests = new MessageReader((message) => this.#openLong(message));
  readonly #answers = new MessageReader();
  readonly #calls: RuntimeCalls;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #requestMilliseconds: number;
  #isInUse = false;

  /** Resolves when the connection has ended; never rejects. */
  readonly ended = this.#ended.promise;

  constructor(
    trunk: Outlet,
    handlers: PluginHandlers,
    timeouts: PluginTimeouts,
    report: (event: SessionEvent) => void,
  ) {
    this.#trunk = trunk;
    this.#handlers = handlers;
    this.#report = report;
    this.#timeouts = timeouts;
    this.#requestMilliseconds = timeouts.requestMilliseconds;
    this.#calls = new RuntimeCalls((message) => this.#send(RUNTIME_STREAM, message));
    this.#synchronization = new Synchronization(handlers, (counts) =>
      report({ kind: "synchronized", ...counts }),
    );
    this.#methods = pluginMethods(handlers, this.#synchronization, (event) => {
      if (event.kind === "registered") this.#beginUse(event.runtime);
      report(event);
      if (event.kind === "shutdown") this.#endUse();
    });
  }

  /** Registers the plugin with the runtime, or ends the connection. */
  async register({ name, index }: PluginIdentity): Promise<void> {
    try {
      const request = { pluginName: name, pluginIdx: index };
      await this.#calls.call("registerPlugin", request, this.#timeouts.registrationMilliseconds);
    } catch (error) {
      this.#end({ kind: "refused", reason: messageOf(error) });
    }
  }

  /** Sends updates; returns the ids of those that failed. Throws an Error if the runtime fails the whole request. */
  async updateContainers(updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    // It need not have listed its containers: containerd 1.7 never does so for a plugin that it started itself.
    if (!this.#isInUse) throw new Error("UpdateContainers: the runtime has not configured the plugin yet");
    const request = { update: updates.map(updateOf) };
    const { failed } = await this.#calls.call("updateContainers", request, this.#requestMilliseconds);
    return failed.map(({ containerId }) => containerId);
  }

  /** Ends the connection at once. */
  close(): void {
    this.#end({ kind: "disconnected", reason: "the plugin was stopped" });
  }

  received(bytes: Uint8Array): void {
    try {
      this.#frames.read(bytes, (stream, part) => {
        if (stream === PLUGIN_STREAM) this.#requests.read(part, this.#answer);
        if (stream === RUNTIME_STREAM) this.#answers.read(part, (message) => this.#calls.receive(message));
      });
    } catch (error) {
      this.#end({ kind: "protocol-error", reason: `the runtime sent ${messageOf(error)}` });
    }
  }

  closed(error: Error | undefined): void {
    const cause = error === undefined ? "" : `: ${error.message}`;
    this.#end({ kind: "disconnected", reason: `the runtime closed the connection${cause}` });
  }

  readonly #answer = ({ call, type, payload }: TtrpcMessage): void => {
    // Other types are for streams, which NRI does not use.
    if (type !== REQUEST || this.#trunk.isClosed) return;
    const answer = answerRequest(payload, this.#methods, (method, reason) =>
      this.#report({ kind: "request-failed", method, reason }),
    );
    this.#send(PLUGIN_STREAM, { call, type: RESPONSE, payload: answer });
  };

  #openLong({ call, type }: Omit<TtrpcMessage, "payload">): LongRequest {
    const failed = (method: string, reason: string) =>
      this.#report({ kind: "request-failed", method, reason });
    return new LongRequest(this.#synchronization, failed, (payload) => {
      if (type === REQUEST && !this.#trunk.isClosed)
        this.#send(PLUGIN_STREAM, { call, type: RESPONSE, payload });
    });
  }

  #send(stream: number, message: TtrpcMessage): void {
    this.#trunk.write(toFrames(stream, encodeMessage(message)));
  }

  #end(end: SessionEnd): void {
    this.#trunk.close();
    this.#calls.close(new Error(end.reason));
    this.#ended.resolve(end);
    this.#endUse();
  }

  #beginUse({ requestTimeoutMillis }: NriRuntime): void {
    const milliseconds = requestTimeoutMillis ?? this.#timeouts.requestMilliseconds;
    this.#requestMilliseconds = Math.min(milliseconds, MAX_TIMEOUT_MILLISECONDS);
    this.#isInUse = true;
  }

  #endUse(): void {
    if (!this.#isInUse) return;
    this.#isInUse = false;
    this.#handlers.disconnected();
  }
}
