import type { Event, Fields, Level } from "./events.ts";
import { formatEvent, quoteValue } from "./format-event.ts";

/** Formats of the log: JSON for programs, logfmt for people. */
export const LOG_FORMATS = ["Json", "Human"] as const;

/** Options of a logger. */
export interface LoggerOptions {
  readonly format: (typeof LOG_FORMATS)[number];
  /** Verbosity as in klog: debug lines are written from 4 on. */
  readonly verbosity: number;
  /** Writes one line, given without its newline; must not throw. */
  readonly write: (line: string) => void;
}

/** Lowest verbosity at which debug lines are written. */
export const DEBUG_VERBOSITY = 4;

const LEVEL_WIDTH = "warning".length;

// containerd cuts a line of more than 16 KiB in two (max_container_log_line_size).
const LENGTHS = { lineBytes: 15 * 1024, valueCharacters: 4096 };

/** Log of events, one printable ASCII line each. */
export class Logger {
  readonly #options: LoggerOptions;
  #verbosity: number;

  constructor(options: LoggerOptions) {
    this.#options = options;
    this.#verbosity = options.verbosity;
  }

  /** Changes the verbosity. */
  setVerbosity(verbosity: number): void {
    this.#verbosity = verbosity;
  }

  /** Writes an event unless its level is below the verbosity; an infinite number is written as max. */
  event(level: Level, event: Event, fields: Fields): void {
    if (level === "debug" && this.#verbosity < DEBUG_VERBOSITY) return;
    const time = new Date().toISOString();
    const { format, write } = this.#options;
    write(format === "Json" ? jsonLine(time, level, event, fields) : humanLine(time, level, event, fields));
  }
}

function jsonLine(time: string, level: Level, event: Event, fields: Fields): string {
  let line = `{"time":"${time}","level":"${level}","event":"${event}"`;
  for (const name in fields) {
    const value = spellInfinity(fields[name]);
    if (value === undefined) continue;
    const json =
      typeof value === "string" ? quoteValue(value, LENGTHS.valueCharacters) : JSON.stringify(value);
    line += `,${JSON.stringify(name)}:${json}`;
  }
  return `${line}}`;
}

function humanLine(time: string, level: Level, event: Event, fields: Fields): string {
  const spelled = Object.entries(fields).map(([name, value]) => [name, spellInfinity(value)]);
  return `${time} ${level.padEnd(LEVEL_WIDTH)} ${formatEvent(event, Object.fromEntries(spelled), LENGTHS)}`;
}

// As cgroup files spell it; JSON has no infinity.
function spellInfinity<T>(value: T): T | "max" {
  return value === Number.POSITIVE_INFINITY ? "max" : value;
}
