// Fields of a protobuf message in a stream of bytes (protobuf's encoding: a varint of number and wire type, then the
// value, or its length and its bytes).

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/** Receiver of a message's fields; a field of bytes comes in parts. */
export interface FieldSink {
  begin(field: number, bytes: number): void;
  /** Called with bytes of the field that began last, which are valid only during the call. */
  part(bytes: Uint8Array): void;
  end(): void;
  number(field: number, value: number): void;
}

/** Reads the fields of a message from chunks of bytes, and holds no more than a number. */
export class FieldReader {
  readonly #sink: FieldSink;
  #state: "tag" | "length" | "number" | "skip" | "bytes" = "tag";
  #field = 0;
  #value = 0;
  #valueBytes = 0;
  #left = 0;

  constructor(sink: FieldSink) {
    this.#sink = sink;
  }

  /** True between two fields, where a message may end. */
  get isComplete(): boolean {
    return this.#state === "tag" && this.#valueBytes === 0;
  }

  /** Passes on the fields of a chunk; throws an Error at bytes that are no message. */
  read(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state !== "bytes" && this.#state !== "skip") {
        this.#take(bytes[at++] ?? 0);
        continue;
      }
      const part = bytes.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      if (this.#state === "bytes") this.#sink.part(part);
      if (this.#left === 0) this.#endField();
    }
  }

  #take(byte: number): void {
    if (this.#valueBytes === MAX_VARINT_BYTES) throw new Error("a number of more than 10 bytes");
    this.#value += (byte & 0x7f) * 2 ** (7 * this.#valueBytes);
    this.#valueBytes += 1;
    if (byte >= 0x80) return;
    const value = this.#value;
    this.#value = 0;
    this.#valueBytes = 0;
    if (this.#state === "tag") this.#begin(value);
    else if (this.#state === "number") {
      this.#state = "tag";
      this.#sink.number(this.#field, value);
    } else this.#beginBytes(value);
  }

  #begin(tag: number): void {
    this.#field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === VARINT) this.#state = "number";
    else if (wireType === BYTES) this.#state = "length";
    else if (wireType === FIXED64 || wireType === FIXED32) {
      this.#state = "skip";
      this.#left = wireType === FIXED64 ? 8 : 4;
    } else throw new Error(`field ${this.#field} has the unknown wire type ${wireType}`);
  }

  #beginBytes(length: number): void {
    this.#state = "bytes";
    this.#left = length;
    this.#sink.begin(this.#field, length);
    if (length === 0) this.#endField();
  }

  #endField(): void {
    const wasBytes = this.#state === "bytes";
    this.#state = "tag";
    if (wasBytes) this.#sink.end();
  }
}
