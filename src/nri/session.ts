import { answerRequest, type PluginMethods } from "./answers.ts";
import { RuntimeCalls } from "./calls.ts";
import { FrameReader, PLUGIN_STREAM, RUNTIME_STREAM, toFrames } from "./frames.ts";
import { updateOf } from "./from-wire.ts";
import type { ContainerUpdate, NriRuntime, PluginHandlers } from "./handlers.ts";
import { encodeMessage, MessageReader, REQUEST, RESPONSE, type TtrpcMessage } from "./messages.ts";
import { pluginMethods } from "./methods.ts";
import { messageOf } from "./status.ts";
import type { Trunk, TrunkReader } from "./trunk.ts";

/** Where a connection's bytes go. */
export type Outlet = Pick<Trunk, "write" | "close" | "isClosed">;

/** Who a plugin says that it is. */
export interface Identity {
  readonly name: string;
  /** Two digits. */
  readonly index: string;
}

/** For how long a plugin waits for the runtime's answers, in milliseconds. */
export interface Patience {
  readonly registrationMilliseconds: number;
  /** Unless the runtime tells how long a request may take. */
  readonly requestMilliseconds: number;
}

/** What happens on a connection. */
export type SessionEvent =
  /** The runtime knows the plugin, has told of itself, and was told which events are wanted. */
  | { readonly kind: "registered"; readonly runtime: NriRuntime }
  /** All that was there is known; from here on the runtime tells of every change. */
  | {
      readonly kind: "synchronized";
      readonly pods: number;
      readonly containers: number;
      readonly updates: number;
    }
  /** A request was answered with an error, which the runtime shows to users. */
  | { readonly kind: "request-failed"; readonly method: string; readonly reason: string }
  /** The runtime is about to go down. */
  | { readonly kind: "shutdown" };

/** Why a connection is over. */
export interface SessionEnd {
  readonly kind: "refused" | "disconnected" | "protocol-error";
  readonly reason: string;
}

// What setTimeout takes.
const MAX_MILLISECONDS = 2 ** 31 - 1;

/** One connection to a runtime, from the registration to its end. */
export class Session implements TrunkReader {
  readonly #trunk: Outlet;
  readonly #handlers: PluginHandlers;
  readonly #report: (event: SessionEvent) => void;
  readonly #patience: Patience;
  readonly #methods: PluginMethods;
  readonly #frames = new FrameReader();
  readonly #requests = new MessageReader();
  readonly #answers = new MessageReader();
  readonly #calls: RuntimeCalls;
  readonly #ended = Promise.withResolvers<SessionEnd>();
  #requestMilliseconds: number;
  #isInUse = false;

  /** Settles when the connection is over; never rejects. */
  readonly ended = this.#ended.promise;

  constructor(
    trunk: Outlet,
    handlers: PluginHandlers,
    patience: Patience,
    report: (event: SessionEvent) => void,
  ) {
    this.#trunk = trunk;
    this.#handlers = handlers;
    this.#report = report;
    this.#patience = patience;
    this.#requestMilliseconds = patience.requestMilliseconds;
    this.#calls = new RuntimeCalls((message) => this.#send(RUNTIME_STREAM, message));
    this.#methods = pluginMethods(handlers, {
      configured: (runtime) => {
        this.#requestMilliseconds = Math.min(
          runtime.requestTimeoutMillis ?? patience.requestMilliseconds,
          MAX_MILLISECONDS,
        );
        this.#isInUse = true;
        report({ kind: "registered", runtime });
      },
      synchronized: (pods, containers, updates) =>
        report({ kind: "synchronized", pods, containers, updates }),
      shutDown: () => {
        report({ kind: "shutdown" });
        this.#tellHandlers();
      },
    });
  }

  /** Makes the plugin known to the runtime, or ends the connection. */
  async register({ name, index }: Identity): Promise<void> {
    try {
      const request = { pluginName: name, pluginIdx: index };
      await this.#calls.call("registerPlugin", request, this.#patience.registrationMilliseconds);
    } catch (error) {
      this.#end({ kind: "refused", reason: messageOf(error) });
    }
  }

  /** Asks for updates and gives the ids of those that failed; throws when the runtime does not do its part. */
  async updateContainers(updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    // It need not have told of its containers: containerd 1.7 never does to a plugin that it started itself.
    if (!this.#isInUse) throw new Error("UpdateContainers: the runtime has not taken the plugin in yet");
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
    // Other types are for streams, which NRI has none of.
    if (type !== REQUEST || this.#trunk.isClosed) return;
    const answer = answerRequest(payload, this.#methods, (method, reason) =>
      this.#report({ kind: "request-failed", method, reason }),
    );
    this.#send(PLUGIN_STREAM, { call, type: RESPONSE, payload: answer });
  };

  #send(stream: number, message: TtrpcMessage): void {
    this.#trunk.write(toFrames(stream, encodeMessage(message)));
  }

  #end(end: SessionEnd): void {
    this.#trunk.close();
    this.#calls.close(new Error(end.reason));
    this.#ended.resolve(end);
    this.#tellHandlers();
  }

  #tellHandlers(): void {
    if (!this.#isInUse) return;
    this.#isInUse = false;
    this.#handlers.disconnected();
  }
}
