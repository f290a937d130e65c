/** What wasp reports about a container: the same words in the log and in the metrics. */
export type Event =
  /** A swap limit was written and is in force. */
  | "swap-limit-set"
  /** The swap limit was right already. */
  | "swap-limit-kept"
  /** A swap limit was written, but a level above the container allows less. */
  | "swap-limit-unmet"
  /** A dry run: what would have been written. */
  | "swap-limit-planned"
  /** The container is none of wasp's business. */
  | "swap-limit-left"
  /** Something was wrong; nothing more was written. */
  | "hook-failed";

/** The figures and names of an event, in the order in which they are printed; undefined ones are left out. */
export type Fields = Readonly<Record<string, string | number | undefined>>;

// The kernel refuses a record of more than 1024 bytes with EINVAL (kernel/printk/printk.c, devkmsg_write).
const MAX_LINE_BYTES = 960;
const MAX_VALUE_CHARACTERS = 400;

/** Formats an event as one line of logfmt, `event key=value ...`; a value with a blank or a quote is a JSON string. */
export function formatEvent(event: Event, fields: Fields): string {
  let line: string = event;
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined) line += ` ${key}=${typeof value === "number" ? value : formatValue(value)}`;
  }
  const ascii = isPrintable(line) ? line : line.replace(/[^\x20-\x7e]/g, escapeUnicode);
  return ascii.length <= MAX_LINE_BYTES ? ascii : `${ascii.slice(0, MAX_LINE_BYTES - 3)}...`;
}

function formatValue(value: string): string {
  const quoted = JSON.stringify(shorten(value));
  const isPlain = quoted.length === value.length + 2 && value !== "" && !value.includes(" ");
  return isPlain ? value : quoted;
}

// Below 0x20 JSON has escaped already. Not a regular expression: the first one costs the hook's start.
function isPrintable(text: string): boolean {
  return new TextEncoder().encode(text).length === text.length && !text.includes("\x7f");
}

// One byte a character, so that lengths are bytes, and no terminal reads anything into a value.
function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

// The middle goes: a path's beginning and the reason behind it both tell more.
function shorten(value: string): string {
  if (value.length <= MAX_VALUE_CHARACTERS) return value;
  const half = MAX_VALUE_CHARACTERS / 2;
  return `${value.slice(0, half)}...${value.slice(-half)}`;
}
