// ttrpc messages in a byte stream: the length of what follows and the number of the call, four bytes each, big-endian,
// then the type and flags, which NRI does without (containerd/ttrpc, channel.go).

/** The type of a message that asks. */
export const REQUEST = 1;
/** The type of a message that answers. */
export const RESPONSE = 2;

/** What a message may hold besides its header, in bytes. */
export const MAX_MESSAGE_BYTES = 4 * 2 ** 20;

/** How long a message's header is. */
export const HEADER_BYTES = 10;
// More than this is given back once the message was read.
const KEPT_BYTES = 64 * 2 ** 10;

/** One message of a stream. */
export interface TtrpcMessage {
  /** Numbers of requests are odd and rise; an answer has the number of its request. */
  readonly call: number;
  readonly type: number;
  /** Of use only until the next message is read. */
  readonly payload: Uint8Array;
}

/** Puts a header before a payload. */
export function encodeMessage({ call, type, payload }: TtrpcMessage): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length);
  view.setUint32(4, call);
  view.setUint8(8, type);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Puts messages together as the bytes of their stream come in. */
export class MessageReader {
  #kept = new Uint8Array(KEPT_BYTES);
  #keptBytes = 0;

  /** Hands on the messages that are complete, in order; throws at one that is too long. */
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
      // Up to the end of the message, of which only the header tells.
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

  // Room is made for what is here, never for what a header announces.
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
