import { endOfString } from "./json-string.ts";

const [QUOTE, COMMA] = [0x22, 0x2c];
const [OPENING_BRACKET, OPENING_BRACE] = [0x5b, 0x7b];
const [CLOSING_BRACKET, CLOSING_BRACE] = [0x5d, 0x7d];

/** Nesting depth of items: in an array, which is in an object. */
const ITEMS_DEPTH = 2;

/** Receiver of the items of a list, piece by piece. */
export interface ItemSink {
  /** Takes the next bytes of an item, which change after the call. */
  append(bytes: Uint8Array): void;
  /** Ends an item; `mayBeNone` for an array's only one, which is no item if it is white space. */
  end(mayBeNone: boolean): void;
}

/**
 * Splits the JSON text of a Kubernetes list into its items as it arrives, and buffers none of them. It does not check that
 * the text is JSON: it is if its frame and each of its items are.
 */
export class ItemSplitter {
  readonly #sink: ItemSink;
  readonly #maxFrameBytes: number;
  readonly #frame: Uint8Array[] = [];
  #frameBytes = 0;
  #items = 0;
  #depth = 0;
  #isInItems = false;
  #isInString = false;
  #isEscaped = false;

  /** Takes the largest size of the text beside the items. */
  constructor(sink: ItemSink, maxFrameBytes: number) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Text so far with an empty array in place of the items. */
  get frame(): string {
    return Buffer.concat(this.#frame).toString("utf8");
  }

  /** Takes the next piece; throws an Error if the text beside the items is too large. */
  push(piece: Uint8Array): void {
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      if (this.#isInString) {
        const end = endOfString(piece, at, this.#isEscaped);
        this.#isInString = end.at === piece.length;
        this.#isEscaped = end.isEscaped;
        at = end.at;
      } else if (byte === QUOTE) {
        this.#isInString = true;
      } else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) {
        this.#depth += 1;
        if (this.#depth !== ITEMS_DEPTH || byte === OPENING_BRACE) continue;
        this.#keepFrame(piece.slice(start, at + 1));
        start = at + 1;
        this.#isInItems = /"items"\s*:\s*\[$/.test(this.frame);
      } else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
        this.#depth -= 1;
        if (!this.#isInItems || this.#depth >= ITEMS_DEPTH) continue;
        this.#isInItems = false;
        this.#sink.append(piece.subarray(start, at));
        this.#sink.end(this.#items === 0);
        start = at;
      } else if (byte === COMMA && this.#depth === ITEMS_DEPTH && this.#isInItems) {
        this.#sink.append(piece.subarray(start, at));
        this.#sink.end(false);
        this.#items += 1;
        start = at + 1;
      }
    }
    if (start >= piece.length) return;
    if (this.#isInItems) this.#sink.append(piece.subarray(start));
    else this.#keepFrame(piece.slice(start));
  }

  #keepFrame(bytes: Uint8Array): void {
    this.#frameBytes += bytes.length;
    if (this.#frameBytes > this.#maxFrameBytes)
      throw new Error(`not a list: it has more than ${this.#maxFrameBytes} bytes beside its items`);
    this.#frame.push(bytes);
  }
}
