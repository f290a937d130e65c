import { create, fromBinary, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Runtime } from "./api_pb.ts";
import { MAX_MESSAGE_BYTES, REQUEST, RESPONSE, type TtrpcMessage } from "./messages.ts";
import { messageOf } from "./status.ts";
import { RequestSchema, ResponseSchema } from "./ttrpc_pb.ts";

type RuntimeMethods = typeof Runtime.method;

interface Pending {
  answered(payload: Uint8Array): void;
  failed(error: Error): void;
}

/** Calls of the plugin to the runtime over one connection. */
export class RuntimeCalls {
  readonly #send: (message: TtrpcMessage) => void;
  readonly #pending = new Map<number, Pending>();
  #nextCall = 1;
  #closed: Error | undefined;

  constructor(send: (message: TtrpcMessage) => void) {
    this.#send = send;
  }

  /** Returns the runtime's answer; throws an Error if the runtime fails the request, times out, or the connection ends. */
  async call<M extends keyof RuntimeMethods>(
    name: M,
    request: MessageInitShape<RuntimeMethods[M]["input"]>,
    timeoutMilliseconds: number,
  ): Promise<MessageShape<RuntimeMethods[M]["output"]>> {
    const { name: method, input, output } = Runtime.method[name];
    const payload = toBinary(input, create(input, request as MessageInitShape<typeof input>));
    try {
      const answered = (answer: Uint8Array) =>
        fromBinary(output, answer) as MessageShape<RuntimeMethods[M]["output"]>;
      return await this.#request(method, payload, timeoutMilliseconds, answered);
    } catch (error) {
      throw new Error(`${method}: ${messageOf(error)}`);
    }
  }

  /** Takes an answer; ignores one without a pending call. */
  receive({ call, type, payload }: TtrpcMessage): void {
    const pending = this.#pending.get(call);
    if (type !== RESPONSE || pending === undefined) return;
    try {
      const { status, payload: answer } = fromBinary(ResponseSchema, payload);
      if (status === undefined || status.code === 0) pending.answered(answer);
      else pending.failed(new Error(`${status.message || "refused"} (code ${status.code})`));
    } catch (error) {
      pending.failed(new Error(`the answer cannot be decoded: ${messageOf(error)}`));
    }
  }

  /** Fails all pending and future calls. */
  close(error: Error): void {
    this.#closed = error;
    for (const pending of this.#pending.values()) pending.failed(error);
  }

  // An answer is decoded at once, because its bytes are reused.
  #request<T>(
    method: string,
    payload: Uint8Array,
    timeoutMilliseconds: number,
    read: (answer: Uint8Array) => T,
  ): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const timeoutNano = BigInt(timeoutMilliseconds) * 1_000_000n;
    const request = { service: Runtime.typeName, method, payload, timeoutNano };
    const message = toBinary(RequestSchema, create(RequestSchema, request));
    if (message.length > MAX_MESSAGE_BYTES) {
      const reason = `the request has ${message.length} bytes: must be ${MAX_MESSAGE_BYTES} at most`;
      return Promise.reject(new Error(reason));
    }
    const call = this.#nextCall;
    this.#nextCall += 2;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const end = (settle: () => void) => {
      settle();
      clearTimeout(timer);
      this.#pending.delete(call);
    };
    const pending: Pending = {
      answered: (answer) => end(() => resolve(read(answer))),
      failed: (error) => end(() => reject(error)),
    };
    const late = new Error(`no answer within ${timeoutMilliseconds} ms`);
    const timer = setTimeout(() => pending.failed(late), timeoutMilliseconds);
    this.#pending.set(call, pending);
    this.#send({ call, type: REQUEST, payload: message });
    return promise;
  }
}
