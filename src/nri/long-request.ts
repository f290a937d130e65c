import { fromBinary } from "@bufbuild/protobuf";
import { answerOf } from "./answers.ts";
import { ContainerSchema, Plugin, PodSandboxSchema, SynchronizeResponseSchema } from "./api_pb.ts";
import { FieldReader, type FieldSink } from "./field-reader.ts";
import { MAX_MESSAGE_BYTES, type MessageSink } from "./messages.ts";
import { STATUS, StatusError } from "./status.ts";
import type { Synchronization } from "./synchronization.ts";

const SERVICE = 1;
const METHOD = 2;
const PAYLOAD = 3;
const PODS = 1;
const CONTAINERS = 2;
const MORE = 3;
const MAX_NAME_BYTES = 200;
const DECODING = { readUnknownFields: false } as const;

/**
 * A request that is longer than ttrpc's limit: containerd 1.7.0 to 1.7.25 lists all pods and containers in one message,
 * however long it is (containerd/nri issue 102). Each of them is decoded as soon as it is complete, so that memory holds
 * what is kept of them, and not the message.
 */
export class LongRequest implements MessageSink {
  readonly #synchronization: Synchronization;
  readonly #failed: (method: string, reason: string) => void;
  readonly #answer: (answer: Uint8Array) => void;
  readonly #outer: FieldReader;
  readonly #list: FieldReader;
  readonly #names = { [SERVICE]: "", [METHOD]: "" };
  #hasMore = false;
  #error: unknown;

  constructor(
    synchronization: Synchronization,
    failed: (method: string, reason: string) => void,
    answer: (answer: Uint8Array) => void,
  ) {
    this.#synchronization = synchronization;
    this.#failed = failed;
    this.#answer = answer;
    this.#list = new FieldReader(this.#listSink());
    this.#outer = new FieldReader(this.#outerSink());
  }

  /** Takes the next bytes. After an error the rest is skipped: the connection goes on behind this message. */
  part(bytes: Uint8Array): void {
    if (this.#error !== undefined) return;
    try {
      this.#outer.read(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Answers the request, whose last bytes were taken. */
  end(): void {
    const failed = (reason: string) => this.#failed(this.#names[METHOD] || "request", reason);
    this.#answer(answerOf(SynchronizeResponseSchema, () => this.#finish(), failed));
  }

  #finish() {
    if (this.#error === undefined && !(this.#outer.isComplete && this.#list.isComplete))
      this.#fail(new StatusError(STATUS.invalidArgument, "the request ends within a field"));
    if (this.#error !== undefined) throw this.#error;
    return this.#hasMore ? { more: true } : this.#synchronization.finish();
  }

  #fail(error: unknown): void {
    this.#error = error;
    this.#synchronization.clear();
  }

  #outerSink(): FieldSink {
    let field = 0;
    return {
      begin: (number, bytes) => {
        field = number;
        if (field === PAYLOAD) this.#requireSynchronize();
        else if ((field === SERVICE || field === METHOD) && bytes > MAX_NAME_BYTES)
          throw new StatusError(STATUS.unimplemented, `a method's name of ${bytes} bytes`);
      },
      part: (bytes) => {
        if (field === PAYLOAD) this.#list.read(bytes);
        else if (field === SERVICE || field === METHOD) this.#names[field] += new TextDecoder().decode(bytes);
      },
      end: () => {},
      number: () => {},
    };
  }

  // The names precede the payload: fields are sent in the order of their numbers.
  #requireSynchronize(): void {
    const { [SERVICE]: service, [METHOD]: method } = this.#names;
    if (service === Plugin.typeName && method === Plugin.method.synchronize.name) return;
    throw new StatusError(
      STATUS.resourceExhausted,
      `${method || "a request"}: the request must have ${MAX_MESSAGE_BYTES} bytes at most; only Synchronize may have more`,
    );
  }

  #listSink(): FieldSink {
    let [field, length] = [0, 0];
    let item = new Uint8Array();
    return {
      begin: (number, bytes) => {
        field = number;
        length = 0;
        const isListed = field === PODS || field === CONTAINERS;
        if (isListed && bytes > MAX_MESSAGE_BYTES)
          throw new StatusError(
            STATUS.resourceExhausted,
            `Synchronize: a pod or container of ${bytes} bytes: must be ${MAX_MESSAGE_BYTES} at most: shorten its annotations or its environment`,
          );
        item = new Uint8Array(isListed ? bytes : 0);
      },
      part: (bytes) => {
        if (field !== PODS && field !== CONTAINERS) return;
        item.set(bytes, length);
        length += bytes.length;
      },
      end: () => {
        if (field === PODS)
          this.#synchronization.add([fromBinary(PodSandboxSchema, item, DECODING)], [], item.length);
        if (field === CONTAINERS)
          this.#synchronization.add([], [fromBinary(ContainerSchema, item, DECODING)], item.length);
        item = new Uint8Array();
      },
      number: (number, value) => {
        if (number === MORE) this.#hasMore = value !== 0;
      },
    };
  }
}
