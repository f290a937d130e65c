// Codes of , [ { ] } and \ in a JSON text.
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACKET = 0x5d;
const CLOSING_BRACE = 0x7d;
const BACKSLASH = 0x5c;

/** Bounds of a JSON text that is parsed. */
export interface JsonBounds {
  /** Lists, objects, and their members after the first: each takes some 100 bytes of memory, and one byte of the text. */
  readonly values: number;
  /** Lists and objects within each other. */
  readonly levels: number;
}

/** Returns the first bound that a JSON text exceeds, in words; undefined for none. The content of strings does not count. */
export function excessOf(text: string, bounds: JsonBounds): string | undefined {
  let values = 0;
  let level = 0;
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    const end = quote < 0 ? text.length : quote;
    for (; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code === CLOSING_BRACKET || code === CLOSING_BRACE) level -= 1;
      if (code === OPENING_BRACKET || code === OPENING_BRACE) level += 1;
      else if (code !== COMMA) continue;
      values += 1;
      if (level > bounds.levels) return `more than ${bounds.levels} levels`;
      if (values > bounds.values) return `more than ${bounds.values} values`;
    }
    at = quote < 0 ? end : endOfString(text, quote + 1);
  }
  return undefined;
}

/** Returns the index after the string that begins at an index; the length of the text if it does not end. */
function endOfString(text: string, start: number): number {
  for (let from = start; ; ) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}
