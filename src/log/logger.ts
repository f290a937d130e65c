import { type Event, type Fields, formatEvent, shorten, toAscii } from "./events.ts";

/** How much a line matters. */
export type Level = "debug" | "info" | "warning" | "error";

/** What the log is read by: a program, or an eye. */
export const LOG_FORMATS = ["Json", "Human"] as const;

/** How a logger writes. */
export interface LoggerOptions {
  readonly format: (typeof LOG_FORMATS)[number];
  /** As klog counts: from 4 on, debug lines are written too. */
  readonly verbosity: number;
  /** Takes one line, without its end; must not throw. */
  readonly write: (line: string) => void;
}

/** Lowest verbosity at which debug lines are written. */
export const DEBUG_VERBOSITY = 4;

const LEVEL_WIDTH = "warning".length;

// containerd cuts a line of more than 16 KiB in two (max_container_log_line_size).
const LENGTHS = { lineBytes: 15 * 1024, valueCharacters: 4096 };

/** The agent's log: events, one a line, of printable ASCII. */
export class Logger {
  readonly #options: LoggerOptions;
  #verbosity: number;

  constructor(options: LoggerOptions) {
    this.#options = options;
    this.#verbosity = options.verbosity;
  }

  /** Sets from now on what the options' verbosity did. */
  setVerbosity(verbosity: number): void {
    this.#verbosity = verbosity;
  }

  /** Writes an event, unless it is a debug one that nobody asked for; an infinite number is written as max. */
  event(level: Level, event: Event, fields: Fields): void {
    if (level === "debug" && this.#verbosity < DEBUG_VERBOSITY) return;
    const time = new Date().toISOString();
    const { format, write } = this.#options;
    write(format === "Json" ? jsonLine(time, level, event, fields) : humanLine(time, level, event, fields));
  }
}

function jsonLine(time: string, level: Level, event: Event, fields: Fields): string {
  const whole = { time, level, event, ...fields };
  return toAscii(
    JSON.stringify(whole, (_, value) =>
      typeof value === "string" ? shorten(value, LENGTHS.valueCharacters) : spellInfinity(value),
    ),
  );
}

function humanLine(time: string, level: Level, event: Event, fields: Fields): string {
  const spelled = Object.entries(fields).map(([name, value]) => [name, spellInfinity(value)]);
  return `${time} ${level.padEnd(LEVEL_WIDTH)} ${formatEvent(event, Object.fromEntries(spelled), LENGTHS)}`;
}

// As a limit is spelled; JSON has no word for it.
function spellInfinity<T>(value: T): T | "max" {
  return value === Number.POSITIVE_INFINITY ? "max" : value;
}
