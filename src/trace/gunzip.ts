import { createGunzip, type Gunzip } from "node:zlib";

// JSON text begins with no control character.
const FIRST_BYTE_OF_GZIP = 0x1f;

// A thousand times as much may come out of it at once.
const PIECE_BYTES = 16 * 2 ** 10;

/** Error of gzip data that end before their end: all that they have was read. */
export class CutGzipError extends Error {}

/**
 * Decompresses bytes that begin as gzip does, of one or more members, and passes on all others. Throws a CutGzipError
 * after the last of truncated data, and an Error at damaged data.
 */
export async function* gunzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let decompressor: Decompressor | undefined;
  let isFirst = true;
  for await (const chunk of bytes) {
    if (isFirst && chunk[0] === FIRST_BYTE_OF_GZIP) decompressor = new Decompressor();
    if (chunk.length > 0) isFirst = false;
    if (decompressor === undefined) yield chunk;
    else
      for (let at = 0; at < chunk.length; at += PIECE_BYTES)
        yield* await decompressor.push(chunk.subarray(at, at + PIECE_BYTES));
    decompressor?.check();
  }
  if (decompressor === undefined) return;
  yield* await decompressor.end();
  decompressor.check();
}

/** Decompressor that keeps an error until the bytes before it are taken. */
class Decompressor {
  readonly #gunzip: Gunzip = createGunzip();
  readonly #closed: Promise<void>;
  #isClosed = false;
  #error: (Error & { readonly code?: string }) | undefined;
  #output: Uint8Array[] = [];

  constructor() {
    this.#gunzip.on("data", (piece: Uint8Array) => this.#output.push(piece));
    this.#closed = new Promise((resolve) => {
      const close = (error?: Error) => {
        this.#isClosed = true;
        this.#error = error;
        resolve();
      };
      this.#gunzip.once("error", close);
      // Also where padding of zeros follows: the callback of its write is then never called.
      this.#gunzip.once("end", () => close());
    });
  }

  /** Returns the bytes that a piece completes. */
  async push(piece: Uint8Array): Promise<Uint8Array[]> {
    if (this.#isClosed) return [];
    const written = new Promise<void>((resolve) => this.#gunzip.write(piece, () => resolve()));
    await Promise.race([written, this.#closed]);
    return this.#take();
  }

  /** Returns the last bytes. */
  async end(): Promise<Uint8Array[]> {
    if (!this.#isClosed) this.#gunzip.end();
    await this.#closed;
    return this.#take();
  }

  /** Throws the error that ended the decompression. */
  check(): void {
    if (this.#error === undefined) return;
    if (this.#error.code === "Z_BUF_ERROR") throw new CutGzipError("its gzip data are cut off");
    throw new Error(`its gzip data are damaged: ${this.#error.message}`);
  }

  #take(): Uint8Array[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }
}
