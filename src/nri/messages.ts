// ttrpc messages in a byte stream. A message's header is the length of its payload and the number of its call, four
// bytes each, big-endian, then its type, and flags that NRI does not use (containerd/ttrpc, channel.go).

/** Type of a request message. */
export const REQUEST = 1;
/** Type of an answer message. */
export const RESPONSE = 2;

/** Largest size of a message without its header, in bytes. */
export const MAX_MESSAGE_BYTES = 4 * 2 ** 20;

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
  #kept = new Uint8Array(KEPT_BYTES);
  #keptBytes = 0;

  /** Passes on complete messages in order; throws an Error at one that is too long. */
  read(bytes: Uint8Array, receive: (message: TtrpcMessage) => void): void {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#keptBytes === 0) {
        const whole = wholeMessage(rest);
        if (whole !== undefined) {
          rest = rest.subarray(HEADER_BYTES + whole.payload.length);
          receive(whole);
          continue;
        }
      }
      // Up to the end of the message, which only its header shows.
      const wanted = this.#keptBytes < HEADER_BYTES ? HEADER_BYTES : messageBytes(this.#kept);
      const part = rest.subarray(0, wanted - this.#keptBytes);
      rest = rest.subarray(part.length);
      this.#keep(part);
      const kept = wholeMessage(this.#kept.subarray(0, this.#keptBytes));
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
}

function wholeMessage(bytes: Uint8Array): TtrpcMessage | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const end = messageBytes(bytes);
  if (bytes.length < end) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return { call: view.getUint32(4), type: view.getUint8(8), payload: bytes.subarray(HEADER_BYTES, end) };
}

function messageBytes(header: Uint8Array): number {
  const payloadBytes = new DataView(header.buffer, header.byteOffset, HEADER_BYTES).getUint32(0);
  if (payloadBytes <= MAX_MESSAGE_BYTES) return HEADER_BYTES + payloadBytes;
  throw new Error(`a message of ${payloadBytes} bytes: must be ${MAX_MESSAGE_BYTES} at most`);
}
