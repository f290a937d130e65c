import type { Event, Fields } from "./events.ts";

/** Largest sizes of a line and of each value in it. */
export interface Lengths {
  readonly lineBytes: number;
  readonly valueCharacters: number;
}

// The kernel refuses a record of more than 1024 bytes with EINVAL (kernel/printk/printk.c, devkmsg_write).
const KERNEL_LENGTHS: Lengths = { lineBytes: 960, valueCharacters: 400 };

/** Formats an event as a logfmt line, `event key=value ...`, of printable ASCII; keys are wasp's own words. */
export function formatEvent(event: Event, fields: Fields, lengths = KERNEL_LENGTHS): string {
  let line: string = event;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    line += ` ${key}=${typeof value === "string" ? formatValue(value, lengths.valueCharacters) : value}`;
  }
  return line.length <= lengths.lineBytes ? line : `${line.slice(0, lengths.lineBytes - 3)}...`;
}

/**
 * Formats a value as a JSON string of printable ASCII, so that it neither ends its line nor is obeyed by a terminal. A
 * value of more than maxCharacters, quoted and escaped, is shortened.
 */
export function quoteValue(value: string, maxCharacters: number): string {
  const maxQuoted = maxCharacters + '"..."'.length;
  for (let kept = maxCharacters; ; ) {
    const quoted = quote(shorten(value, kept));
    if (quoted.length <= maxQuoted) return quoted;
    kept = 2 * Math.floor((kept * maxQuoted) / quoted.length / 2);
  }
}

/** Cuts the middle out of a value that is too long, because a path's beginning and the reason after it matter most. */
export function shorten(value: string, maxCharacters: number): string {
  if (value.length <= maxCharacters) return value;
  const half = maxCharacters / 2;
  return `${value.slice(0, half)}...${value.slice(-half)}`;
}

function formatValue(value: string, maxCharacters: number): string {
  const isShort = value.length <= maxCharacters;
  return isShort && isPlain(value) ? value : quoteValue(value, maxCharacters);
}

// No regular expression: compiling the first one slows the hook's start.
function isPlain(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code <= SPACE || code >= DELETE || code === QUOTE || code === EQUALS || code === BACKSLASH)
      return false;
  }
  return value !== "";
}

const SPACE = 0x20;
const QUOTE = 0x22;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;

function quote(value: string): string {
  const json = JSON.stringify(value);
  // JSON has already escaped all below 0x20.
  return isPrintable(json) ? json : json.replace(/[^\x20-\x7e]/g, escapeUnicode);
}

function isPrintable(text: string): boolean {
  return new TextEncoder().encode(text).length === text.length && !text.includes("\x7f");
}

// One byte per character, so that a line's length is its bytes.
function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
