const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPENING_BRACKET, OPENING_BRACE] = [0x5b, 0x7b];
const [CLOSING_BRACKET, CLOSING_BRACE] = [0x5d, 0x7d];

/** Nesting depth of items: in an array, which is in an object. */
const ITEMS_DEPTH = 2;

/**
 * Splits the JSON text of a Kubernetes list into its items as it arrives, and buffers one item at most. It does not
 * check that the text is JSON: it is if its frame and each of its items are.
 */
export class ItemSplitter {
  readonly #frame: Uint8Array[] = [];
  /** Received pieces of an item that is not complete. */
  #item: Uint8Array[] = [];
  #items = 0;
  #depth = 0;
  #isInItems = false;
  #isInString = false;
  #isEscaped = false;

  /** Text so far with an empty array in place of the items. */
  get frame(): string {
    return Buffer.concat(this.#frame).toString("utf8");
  }

  /** Takes the next piece and returns the texts of the items that it completes. */
  push(piece: Uint8Array): Uint8Array[] {
    const items: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at];
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isInString = false;
      } else if (byte === QUOTE) {
        this.#isInString = true;
      } else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) {
        this.#depth += 1;
        if (this.#depth !== ITEMS_DEPTH || byte === OPENING_BRACE) continue;
        this.#frame.push(piece.slice(start, at + 1));
        start = at + 1;
        this.#isInItems = /"items"\s*:\s*\[$/.test(this.frame);
      } else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
        this.#depth -= 1;
        if (!this.#isInItems || this.#depth >= ITEMS_DEPTH) continue;
        this.#isInItems = false;
        const last = this.#complete(piece.subarray(start, at));
        if (this.#items > 0 || !isBlank(last)) items.push(last);
        start = at;
      } else if (byte === COMMA && this.#depth === ITEMS_DEPTH && this.#isInItems) {
        items.push(this.#complete(piece.subarray(start, at)));
        this.#items += 1;
        start = at + 1;
      }
    }
    // A copy: a view of the item's beginning would keep the whole piece in memory.
    (this.#isInItems ? this.#item : this.#frame).push(piece.slice(start));
    return items;
  }

  #complete(end: Uint8Array): Uint8Array {
    const item = this.#item.length === 0 ? end : Buffer.concat([...this.#item, end]);
    this.#item = [];
    return item;
  }
}

function isBlank(text: Uint8Array): boolean {
  return text.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
