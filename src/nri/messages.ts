// ttrpc messages in a byte stream. A message's header is the length of its payload and the number of its call, four
// bytes each, big-endian, then its type, and flags that NRI does not use (containerd/ttrpc, channel.go).

/** Type of a request message. */
export const REQUEST = 1;
/** Type of an answer message. */
export const RESPONSE = 2;

/** Largest size of a message without its header, in bytes. */
export const MAX_MESSAGE_BYTES = 4 * 2 ** 20;

/** Largest size of what a runtime lists of its pods and containers, in bytes, in one message or in several. */
export const MAX_SYNCHRONIZED_BYTES = 64 * 2 ** 20;

/** Largest size of a request, in bytes: a Synchronize in one message, with its names. */
export const MAX_LONG_BYTES = MAX_SYNCHRONIZED_BYTES + 2 ** 16;

/** Size of a message's header. */
export const HEADER_BYTES = 10;
// A larger buffer is released once its message was read.
const KEPT_BYTES = 64 * 2 ** 10;

/** Message of a stream. */
export interface TtrpcMessage {
  /** Number of the call: odd and rising for requests; an answer has that of its request. */
  readonly call: number;
  readonly type: number;
  /** Valid only until the next message is read. */
  readonly payload: Uint8Array;
}

/** Receiver of a message that is too long to be held as a whole. */
export interface MessageSink {
  /** Takes the next bytes of the payload, which are valid only during the call. */
  part(bytes: Uint8Array): void;
  /** Called when all bytes were taken. */
  end(): void;
}

/** Returns the sink of a message of more than MAX_MESSAGE_BYTES. */
export type OpenSink = (message: Omit<TtrpcMessage, "payload">) => MessageSink;

/** Returns a message's header and payload. */
export function encodeMessage({ call, type, payload }: TtrpcMessage): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length);
  view.setUint32(4, call);
  view.setUint8(8, type);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Reads messages from chunks of a stream's bytes. */
export class MessageReader {
  readonly #openSink: OpenSink | undefined;
  #kept = new Uint8Array(KEPT_BYTES);
  #keptBytes = 0;
  #sink: MessageSink | undefined;
  #sinkBytes = 0;

  /** Takes messages of up to MAX_LONG_BYTES in parts, if there is a sink for them. */
  constructor(openSink?: OpenSink) {
    this.#openSink = openSink;
  }

  /** Passes on complete messages in order; throws an Error at one that is too long. */
  read(bytes: Uint8Array, receive: (message: TtrpcMessage) => void): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#sink !== undefined) {
        rest = this.#feed(this.#sink, rest);
        continue;
      }
      if (this.#keptBytes === 0) {
        const whole = this.#wholeMessage(rest);
        if (whole !== undefined) {
          rest = rest.subarray(HEADER_BYTES + whole.payload.length);
          receive(whole);
          continue;
        }
      }
      // Up to the end of the message, which only its header shows.
      const wanted = this.#keptBytes < HEADER_BYTES ? HEADER_BYTES : this.#messageBytes(this.#kept);
      const part = rest.subarray(0, wanted - this.#keptBytes);
      rest = rest.subarray(part.length);
      this.#keep(part);
      if (this.#keptBytes === HEADER_BYTES && this.#beginLong(this.#kept)) continue;
      const kept = this.#wholeMessage(this.#kept.subarray(0, this.#keptBytes));
      if (kept === undefined) continue;
      this.#keptBytes = 0;
      receive(kept);
      if (this.#kept.length > KEPT_BYTES) this.#kept = new Uint8Array(KEPT_BYTES);
    }
  }

  // Memory is allocated for received bytes, never for those that a header announces.
  #keep(part: Uint8Array): void {
    const needed = this.#keptBytes + part.length;
    if (needed > this.#kept.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#kept.length));
      larger.set(this.#kept.subarray(0, this.#keptBytes));
      this.#kept = larger;
    }
    this.#kept.set(part, this.#keptBytes);
    this.#keptBytes = needed;
  }

  /** Begins to feed a message that is too long to be held; returns false for any other. */
  #beginLong(header: Uint8Array): boolean {
    const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
    const payloadBytes = view.getUint32(0);
    if (payloadBytes <= MAX_MESSAGE_BYTES || payloadBytes > MAX_LONG_BYTES || this.#openSink === undefined)
      return false;
    this.#sink = this.#openSink({ call: view.getUint32(4), type: view.getUint8(8) });
    this.#sinkBytes = payloadBytes;
    this.#keptBytes = 0;
    return true;
  }

  /** Feeds the bytes of a long message, and returns those behind it. */
  #feed(sink: MessageSink, bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.#sinkBytes);
    sink.part(part);
    this.#sinkBytes -= part.length;
    if (this.#sinkBytes === 0) {
      this.#sink = undefined;
      sink.end();
    }
    return bytes.subarray(part.length);
  }

  #wholeMessage(bytes: Uint8Array): TtrpcMessage | undefined {
    if (bytes.length < HEADER_BYTES) return undefined;
    const end = this.#messageBytes(bytes);
    if (bytes.length < end) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
    return { call: view.getUint32(4), type: view.getUint8(8), payload: bytes.subarray(HEADER_BYTES, end) };
  }

  #messageBytes(header: Uint8Array): number {
    const payloadBytes = new DataView(header.buffer, header.byteOffset, HEADER_BYTES).getUint32(0);
    const mostBytes = this.#openSink === undefined ? MAX_MESSAGE_BYTES : MAX_LONG_BYTES;
    if (payloadBytes <= mostBytes) return HEADER_BYTES + payloadBytes;
    const remedy = this.#openSink === undefined ? "" : LONG_REMEDY;
    throw new Error(`a message of ${payloadBytes} bytes: must be ${mostBytes} at most${remedy}`);
  }
}

// At the header of a message its method is not known yet.
const LONG_REMEDY =
  "; if it is the list of pods and containers, remove those that have ended (crictl rmp), and shorten long annotations and environments";
