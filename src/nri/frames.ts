// The frames of NRI's multiplexer, which carry two byte streams over one socket: the stream's number, the length of
// what follows, both four bytes, big-endian (containerd/nri, pkg/net/multiplex/mux.go).

import { MAX_MESSAGE_BYTES, HEADER_BYTES as MESSAGE_HEADER_BYTES } from "./messages.ts";

/** The stream on which the runtime asks and the plugin answers. */
export const PLUGIN_STREAM = 1;
/** The stream on which the plugin asks and the runtime answers. */
export const RUNTIME_STREAM = 2;

const HEADER_BYTES = 8;
// The runtime hands a frame only to a reader that has room for all of it, and reads through a buffer of this size.
const MAX_SENT_BYTES = 4096;
// A whole ttrpc message, which is the most that any sender puts into one frame.
const MAX_RECEIVED_BYTES = MESSAGE_HEADER_BYTES + MAX_MESSAGE_BYTES;

/** Cuts a stream's bytes into frames, ready to be sent. */
export function toFrames(stream: number, bytes: Uint8Array): Uint8Array {
  const frames = Math.ceil(bytes.length / MAX_SENT_BYTES);
  const sent = new Uint8Array(bytes.length + frames * HEADER_BYTES);
  const view = new DataView(sent.buffer);
  let at = 0;
  for (let from = 0; from < bytes.length; from += MAX_SENT_BYTES) {
    const payload = bytes.subarray(from, from + MAX_SENT_BYTES);
    view.setUint32(at, stream);
    view.setUint32(at + 4, payload.length);
    sent.set(payload, at + HEADER_BYTES);
    at += HEADER_BYTES + payload.length;
  }
  return sent;
}

/** Takes frames apart as their bytes come in, and keeps none of them but a header that is not complete. */
export class FrameReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #view = new DataView(this.#header.buffer);
  #headerBytes = 0;
  #stream = 0;
  #payloadBytes = 0;

  /** Hands on what the bytes hold of each stream, in order; throws at a frame that is too long. */
  read(bytes: Uint8Array, receive: (stream: number, bytes: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#payloadBytes > 0) {
        const part = bytes.subarray(at, at + this.#payloadBytes);
        at += part.length;
        this.#payloadBytes -= part.length;
        receive(this.#stream, part);
      } else {
        this.#header[this.#headerBytes++] = bytes[at++] ?? 0;
        if (this.#headerBytes === HEADER_BYTES) this.#begin();
      }
    }
  }

  #begin(): void {
    this.#headerBytes = 0;
    this.#stream = this.#view.getUint32(0);
    this.#payloadBytes = this.#view.getUint32(4);
    if (this.#payloadBytes <= MAX_RECEIVED_BYTES) return;
    throw new Error(
      `a frame of ${this.#payloadBytes} bytes for connection ${this.#stream}: must be ${MAX_RECEIVED_BYTES} at most`,
    );
  }
}
