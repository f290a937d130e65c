import type { Event, Fields } from "./events.ts";

/** Largest sizes of a line and of each value in it. */
export interface Lengths {
  readonly lineBytes: number;
  readonly valueCharacters: number;
}

// The kernel refuses a record of more than 1024 bytes with EINVAL (kernel/printk/printk.c, devkmsg_write).
const KERNEL_LENGTHS: Lengths = { lineBytes: 960, valueCharacters: 400 };

/** Formats an event as a logfmt line, `event key=value ...`; a value with a blank or a quote becomes a JSON string. */
export function formatEvent(event: Event, fields: Fields, lengths = KERNEL_LENGTHS): string {
  let line: string = event;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    line += ` ${key}=${typeof value === "string" ? formatValue(value, lengths.valueCharacters) : value}`;
  }
  const ascii = toAscii(line);
  return ascii.length <= lengths.lineBytes ? ascii : `${ascii.slice(0, lengths.lineBytes - 3)}...`;
}

/** Escapes everything but printable ASCII as JSON does, so that no terminal obeys it. */
export function toAscii(line: string): string {
  return isPrintable(line) ? line : line.replace(/[^\x20-\x7e]/g, escapeUnicode);
}

/** Cuts the middle out of a value that is too long, because a path's beginning and the reason after it matter most. */
export function shorten(value: string, maxCharacters: number): string {
  if (value.length <= maxCharacters) return value;
  const half = maxCharacters / 2;
  return `${value.slice(0, half)}...${value.slice(-half)}`;
}

function formatValue(value: string, maxCharacters: number): string {
  const quoted = JSON.stringify(shorten(value, maxCharacters));
  const isPlain = quoted.length === value.length + 2 && value !== "" && !value.includes(" ");
  return isPlain ? value : quoted;
}

// JSON has already escaped all below 0x20. No regular expression: compiling the first one slows the hook's start.
function isPrintable(text: string): boolean {
  return new TextEncoder().encode(text).length === text.length && !text.includes("\x7f");
}

// One byte per character, so that a line's length is its bytes.
function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
