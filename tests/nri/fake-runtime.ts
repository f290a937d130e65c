import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { create, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Plugin, Runtime } from "../../src/nri/api_pb.ts";
import { RequestSchema, ResponseSchema, type Status } from "../../src/nri/ttrpc_pb.ts";

type PluginMethods = typeof Plugin.method;
type RuntimeMethods = typeof Runtime.method;

/** Status of an answer; undefined for success. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** Behavior of a fake runtime; defaults are those of a real one. */
export interface Behavior {
  /** Largest payload of a frame. */
  readonly frameBytes?: number;
  /** Writes bytes to the socket. */
  readonly transmit?: (socket: Socket, bytes: Buffer) => void;
  /** Answer to a registration; none if "silent". */
  readonly registration?: Refusal | "silent";
  /** Answer to a plugin's own updates. */
  readonly updates?: (
    request: MessageShape<RuntimeMethods["updateContainers"]["input"]>,
  ) => MessageInitShape<RuntimeMethods["updateContainers"]["output"]> | Refusal | "silent";
}

/** A runtime that listens at a unix socket, with its own implementation of the framing. */
export class FakeRuntime implements Disposable {
  readonly path: string;
  readonly #server: Server;
  readonly #accepted: RuntimeSide[] = [];
  #taken = 0;
  #wanted: (() => void) | undefined;

  private constructor(path: string, behavior: Behavior) {
    this.path = path;
    this.#server = createServer((socket) => {
      this.#accepted.push(new RuntimeSide(socket, behavior));
      this.#wanted?.();
    });
  }

  /** Listens at a path. */
  static async listen(path: string, behavior: Behavior = {}): Promise<FakeRuntime> {
    rmSync(path, { force: true });
    const runtime = new FakeRuntime(path, behavior);
    await new Promise<void>((resolve) => runtime.#server.listen(path, resolve));
    return runtime;
  }

  /** Number of connections so far. */
  get connections(): number {
    return this.#accepted.length;
  }

  /** The next connection that a plugin makes. */
  async connection(): Promise<RuntimeSide> {
    for (;;) {
      const next = this.#accepted[this.#taken];
      if (next !== undefined) {
        this.#taken += 1;
        return next;
      }
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  /** Stops to listen, and closes every connection. */
  [Symbol.dispose](): void {
    this.#server.close();
    for (const side of this.#accepted) side.close();
  }
}

/** The runtime's side of one connection. */
export class RuntimeSide {
  /** Received frames as they are on the wire, in order. */
  readonly frames: { readonly stream: number; readonly payload: Buffer }[] = [];
  /** Resolves with the plugin's registration request. */
  readonly registered: Promise<MessageShape<RuntimeMethods["registerPlugin"]["input"]>>;
  /** Resolves when the connection ends. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #behavior: Behavior;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #streams = new Map<number, Buffer>();
  #register: (request: MessageShape<RuntimeMethods["registerPlugin"]["input"]>) => void = () => {};
  #received = Buffer.alloc(0);
  #lastCall = -1;
  /** True if frames are kept, for tests that inspect them; benchmarks turn it off. */
  areFramesKept = true;

  constructor(socket: Socket, behavior: Behavior = {}) {
    this.#socket = socket;
    this.#behavior = behavior;
    this.registered = new Promise((resolve) => {
      this.#register = resolve;
    });
    this.closed = new Promise((resolve) =>
      socket.on("close", () => {
        for (const { reject } of this.#waiting.values()) reject(new Error("the connection was closed"));
        resolve();
      }),
    );
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
  }

  /** Calls a method of the plugin and returns its answer; throws the plugin's error. */
  async call<M extends keyof PluginMethods>(
    name: M,
    request: MessageInitShape<PluginMethods[M]["input"]>,
  ): Promise<MessageShape<PluginMethods[M]["output"]>> {
    const { input, output, name: method } = Plugin.method[name];
    const payload = toBinary(input, create(input, request as MessageInitShape<typeof input>));
    const { status, payload: answer } = await this.ask(Plugin.typeName, method, payload);
    if (status !== undefined) throw new Error(`${status.code}: ${status.message}`);
    return fromBinary(output, answer) as MessageShape<PluginMethods[M]["output"]>;
  }

  /** Sends any request. */
  ask(service: string, method: string, payload: Uint8Array): Promise<Answer> {
    return this.askRaw(toBinary(RequestSchema, create(RequestSchema, { service, method, payload })));
  }

  /** Sends any bytes as a request. */
  askRaw(request: Uint8Array): Promise<Answer> {
    this.#lastCall += 2;
    const call = this.#lastCall;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(call, waiting);
    this.sendMessage(1, call, 1, request);
    return waiting.promise;
  }

  /** Sends a message on a stream. */
  sendMessage(stream: number, call: number, type: number, payload: Uint8Array): void {
    this.transmit(framed(stream, message(call, type, payload), this.#behavior.frameBytes ?? 4096));
  }

  /** Sends any bytes at all. */
  transmit(bytes: Buffer): void {
    if (this.#behavior.transmit === undefined) this.#socket.write(bytes);
    else this.#behavior.transmit(this.#socket, bytes);
  }

  /** Takes a plugin from its registration to the end of its synchronization. */
  async begin(
    containers: MessageInitShape<PluginMethods["synchronize"]["input"]> = {},
    config = "",
  ): Promise<MessageShape<PluginMethods["synchronize"]["output"]>> {
    await this.registered;
    await this.call("configure", { config, runtimeName: "fake", runtimeVersion: "1", requestTimeout: 2000n });
    return this.call("synchronize", containers);
  }

  /** Number of sent bytes that the plugin has not read yet. */
  get unreadBytes(): number {
    return this.#socket.writableLength;
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  /** Resumes reading. */
  resume(): void {
    this.#socket.resume();
  }

  /** Sends the rest, and closes the connection. */
  end(): void {
    this.#socket.end();
  }

  /** Closes the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    let at = 0;
    while (this.#received.length - at >= 8) {
      const stream = this.#received.readUInt32BE(at);
      const end = at + 8 + this.#received.readUInt32BE(at + 4);
      if (this.#received.length < end) break;
      const payload = this.#received.subarray(at + 8, end);
      // The size of a real runtime's read buffer.
      if (payload.length > 4096) throw new Error(`the plugin sent a frame of ${payload.length} bytes`);
      if (this.areFramesKept) this.frames.push({ stream, payload: Buffer.from(payload) });
      this.#deliver(stream, payload);
      at = end;
    }
    this.#received = Buffer.from(this.#received.subarray(at));
  }

  #deliver(stream: number, payload: Buffer): void {
    let rest = Buffer.concat([this.#streams.get(stream) ?? Buffer.alloc(0), payload]);
    while (rest.length >= 10 && rest.length >= 10 + rest.readUInt32BE(0)) {
      const end = 10 + rest.readUInt32BE(0);
      this.#handle(stream, rest.readUInt32BE(4), rest.readUInt8(8), rest.subarray(10, end));
      rest = rest.subarray(end);
    }
    this.#streams.set(stream, Buffer.from(rest));
  }

  #handle(stream: number, call: number, type: number, payload: Buffer): void {
    if (stream === 1 && type === 2) {
      const { status, payload: answer } = fromBinary(ResponseSchema, payload);
      this.#waiting.get(call)?.resolve({ status, payload: answer });
      this.#waiting.delete(call);
    } else if (stream === 2 && type === 1) {
      const { service, method, payload: request } = fromBinary(RequestSchema, payload);
      if (service !== Runtime.typeName) throw new Error(`the plugin asks for ${service}`);
      this.#serve(call, method, request);
    } else throw new Error(`the plugin sent a message of type ${type} on stream ${stream}`);
  }

  #serve(call: number, method: string, request: Uint8Array): void {
    const { registerPlugin, updateContainers } = Runtime.method;
    if (method === registerPlugin.name) {
      this.#register(fromBinary(registerPlugin.input, request));
      this.#answer(call, this.#behavior.registration ?? new Uint8Array());
    } else if (method === updateContainers.name) {
      const answer = this.#behavior.updates?.(fromBinary(updateContainers.input, request)) ?? {};
      const isPlain = answer === "silent" || "code" in answer;
      const { output } = updateContainers;
      this.#answer(call, isPlain ? (answer as Refusal) : toBinary(output, create(output, answer)));
    } else throw new Error(`the plugin calls ${method}`);
  }

  #answer(call: number, answer: Uint8Array | Refusal | "silent"): void {
    if (answer === "silent") return;
    const response = "code" in answer ? { status: answer } : { payload: answer };
    this.sendMessage(2, call, 2, toBinary(ResponseSchema, create(ResponseSchema, response)));
  }
}

/** Answer of a plugin. */
export interface Answer {
  readonly status: Status | undefined;
  readonly payload: Uint8Array;
}

/** A ttrpc message. */
export function message(call: number, type: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt32BE(call, 4);
  header[8] = type;
  return Buffer.concat([header, payload]);
}

/** Bytes of a stream in frames. */
export function framed(stream: number, bytes: Buffer, frameBytes = 4096): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += frameBytes) {
    const payload = bytes.subarray(from, from + frameBytes);
    const header = Buffer.alloc(8);
    header.writeUInt32BE(stream, 0);
    header.writeUInt32BE(payload.length, 4);
    parts.push(header, payload);
  }
  return Buffer.concat(parts);
}
