// Frames of NRI's multiplexer, which carries two byte streams over one socket. A frame's header is the number of its
// stream and the length of its payload, four bytes each, big-endian (containerd/nri, pkg/net/multiplex/mux.go).

import { MAX_LONG_BYTES, HEADER_BYTES as MESSAGE_HEADER_BYTES } from "./messages.ts";

/** Stream of the runtime's requests and the plugin's answers. */
export const PLUGIN_STREAM = 1;
/** Stream of the plugin's requests and the runtime's answers. */
export const RUNTIME_STREAM = 2;

const HEADER_BYTES = 8;
// The runtime passes a frame only to a reader with room for all of it, and reads through a buffer of this size.
const MAX_SENT_BYTES = 4096;
// A whole ttrpc message, and the longest that is taken: no sender puts more into one frame.
const MAX_RECEIVED_BYTES = MESSAGE_HEADER_BYTES + MAX_LONG_BYTES;

/** Returns the frames of a stream's bytes. */
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

/** Reads frames from chunks of bytes, and holds nothing but an incomplete header. */
export class FrameReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #view = new DataView(this.#header.buffer);
  #headerBytes = 0;
  #stream = 0;
  #payloadBytes = 0;

  /** Passes on each stream's bytes in order; throws an Error at a frame that is too long. */
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
