import { endOfString } from "./json-string.ts";

const [QUOTE, COMMA, COLON] = [0x22, 0x2c, 0x3a];
const [OPENING_BRACKET, OPENING_BRACE] = [0x5b, 0x7b];
const [CLOSING_BRACKET, CLOSING_BRACE] = [0x5d, 0x7d];

/** Returns the part to keep of a member of an object by its name; undefined for none of it. */
type KeptMembers = (name: string) => Kept | undefined;

/** Part of a JSON value to keep: all of it, or some members of an object, or of each object in an array. */
export type Kept = true | KeptMembers;

/** Keeps the members with these names. */
export function members(names: Readonly<Record<string, Kept>>): Kept {
  const byName = new Map(Object.entries(names));
  return (name) => byName.get(name);
}

/** Object or array of which some members are kept. */
interface OpenValue {
  readonly isObject: boolean;
  readonly kept: KeptMembers;
  hasMember: boolean;
}

// A longer name is that of nothing that is kept.
const MAX_NAME_BYTES = 1024;

/** Removes from JSON text, as it arrives, all that is not kept. It does not check that the text is JSON. */
export class JsonPruner {
  readonly #root: Kept;
  readonly #output: Uint8Array[] = [];
  readonly #open: OpenValue[] = [];
  /** Depth within a value that is copied or skipped as a whole; undefined between values. */
  #depth: number | undefined;
  #isCopying = false;
  #isInString = false;
  #isEscaped = false;
  /** Bytes of a name, from its quote on; undefined outside of a name. */
  #name: Uint8Array[] | undefined;
  #nameBytes = 0;
  #isNameNext = false;
  #keptMember: Kept | undefined;
  #keptName: Uint8Array | undefined;
  #bytes = 0;

  constructor(kept: Kept) {
    this.#root = kept;
  }

  /** Size of the text so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Text so far, with what is kept. */
  get text(): Uint8Array {
    return Buffer.concat(this.#output);
  }

  /** Takes the next piece. */
  push(piece: Uint8Array): void {
    let copiedFrom = 0;
    for (let at = 0; at < piece.length; at++) {
      if (this.#isInString) {
        const from = at;
        const end = endOfString(piece, at, this.#isEscaped);
        this.#isInString = end.at === piece.length;
        this.#isEscaped = end.isEscaped;
        at = end.at;
        if (this.#name !== undefined) this.#takeName(piece.slice(from, at + 1));
        else if (!this.#isInString && this.#depth === 0) this.#endSpan(piece, copiedFrom, at + 1);
      } else if (this.#depth === undefined) {
        const byte = piece[at] ?? 0;
        if (this.#walk(byte)) continue;
        copiedFrom = at;
        this.#beginSpan(byte);
      } else {
        at = this.#span(piece, copiedFrom, at);
      }
    }
    if (this.#isCopying && this.#depth !== undefined) this.#write(piece.slice(copiedFrom));
  }

  /** Takes a byte between values; returns false for the first one of a value that is copied or skipped. */
  #walk(byte: number): boolean {
    const open = this.#open.at(-1);
    if (byte <= 0x20 || byte === COLON) return true;
    if (byte === COMMA) {
      this.#isNameNext = open?.isObject === true;
      return true;
    }
    if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
      this.#open.pop();
      this.#write(Uint8Array.of(byte));
      return true;
    }
    if (byte === QUOTE && this.#isNameNext) {
      this.#isNameNext = false;
      this.#isInString = true;
      this.#name = [Uint8Array.of(byte)];
      this.#nameBytes = 1;
      return true;
    }
    const kept = open === undefined ? this.#root : open.isObject ? this.#keptMember : open.kept;
    const isContainer = byte === OPENING_BRACE || byte === OPENING_BRACKET;
    this.#isCopying = kept !== undefined;
    if (open !== undefined && kept !== undefined) this.#writeSeparator(open);
    if (!isContainer || kept === undefined || kept === true) return false;
    this.#write(Uint8Array.of(byte));
    this.#isNameNext = byte === OPENING_BRACE;
    this.#open.push({ isObject: this.#isNameNext, kept, hasMember: false });
    return true;
  }

  #writeSeparator(open: OpenValue): void {
    if (open.hasMember) this.#write(Uint8Array.of(COMMA));
    open.hasMember = true;
    if (open.isObject && this.#keptName !== undefined) this.#write(this.#keptName);
    if (open.isObject) this.#write(Uint8Array.of(COLON));
  }

  #takeName(bytes: Uint8Array): void {
    this.#nameBytes += bytes.length;
    const isLong = this.#nameBytes > MAX_NAME_BYTES;
    if (!isLong) this.#name?.push(bytes);
    if (this.#isInString) return;
    this.#keptName = Buffer.concat(this.#name ?? []);
    this.#keptMember = isLong ? undefined : this.#open.at(-1)?.kept(nameIn(this.#keptName));
    this.#name = undefined;
  }

  #beginSpan(byte: number): void {
    this.#isInString = byte === QUOTE;
    this.#depth = byte === OPENING_BRACE || byte === OPENING_BRACKET ? 1 : 0;
  }

  /** Takes a byte of a value that is copied or skipped; returns the index of the last byte taken. */
  #span(piece: Uint8Array, copiedFrom: number, at: number): number {
    const byte = piece[at] ?? 0;
    const depth = this.#depth ?? 0;
    if (depth === 0) {
      // A number or a word ends before the byte after it.
      if (byte !== COMMA && byte !== CLOSING_BRACE && byte !== CLOSING_BRACKET && byte > 0x20) return at;
      this.#endSpan(piece, copiedFrom, at);
      return at - 1;
    }
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) this.#depth = depth + 1;
    else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) this.#depth = depth - 1;
    if (this.#depth === 0) this.#endSpan(piece, copiedFrom, at + 1);
    return at;
  }

  #endSpan(piece: Uint8Array, copiedFrom: number, end: number): void {
    if (this.#isCopying) this.#write(piece.slice(copiedFrom, end));
    this.#depth = undefined;
  }

  #write(bytes: Uint8Array): void {
    this.#output.push(bytes);
    this.#bytes += bytes.length;
  }
}

// A name with escapes matches nothing: Kubernetes escapes none of those that are kept.
function nameIn(quoted: Uint8Array): string {
  return Buffer.from(quoted.subarray(1, -1)).toString("utf8");
}
