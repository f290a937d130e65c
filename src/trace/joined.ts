import { TRACE_VERSION, type TraceHeader } from "./format.ts";
import { formatClock } from "./time.ts";

const FORMAT = TRACE_VERSION.slice(0, TRACE_VERSION.lastIndexOf("/") + 1);

/** Beginning of every header that wasp writes, of any version. */
export const HEADER_START = `{"trace":"${FORMAT}`;

/** Returns true for the parsed header of a recording of any version. */
export function isHeader(line: unknown): line is { readonly trace: string; readonly startedAt?: unknown } {
  if (typeof line !== "object" || line === null) return false;
  const { trace } = line as { readonly trace?: unknown };
  return typeof trace === "string" && trace.startsWith(FORMAT);
}

/** Returns the header at the end of a line that a cut-off recording begins, as joined files have it; undefined without one. */
export function headerWithin(line: string): unknown {
  const start = line.lastIndexOf(HEADER_START);
  if (start <= 0) return undefined;
  try {
    return JSON.parse(line.slice(start));
  } catch {
    return undefined;
  }
}

// The header is not checked, so its time may be any text.
const MAX_TIME_CHARACTERS = 40;

/** Place in a recording at which another one begins. */
interface Join {
  readonly line: number;
  /** True where the other one begins within the line, since the first is cut off there. */
  readonly isWithinLine: boolean;
  readonly first: TraceHeader;
  /** Time of the first recording before the line. */
  readonly atSeconds: number;
  /** Header of the other recording. */
  readonly second: { readonly startedAt?: unknown };
}

/** Describes a join: its line, both recordings with their times, and the way to replay them. */
export function describeJoin({ line, isWithinLine, first, atSeconds, second }: Join): string {
  const started =
    typeof second.startedAt === "string" ? second.startedAt.slice(0, MAX_TIME_CHARACTERS) : "an unknown time";
  const [where, split] = isWithinLine
    ? [`within line ${line}`, "before its header"]
    : [`in line ${line}`, `before line ${line}`];
  return (
    `${where} another recording begins, started at ${started}; the one before it, started at ${first.startedAt}, ` +
    `ends after ${formatClock(atSeconds)}: joined recordings cannot be replayed as one; split the file ${split}, ` +
    "and replay each by itself"
  );
}
