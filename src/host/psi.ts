import type { Pressure, Stall } from "../policy/eviction/snapshot.ts";
import { readRecord } from "./file.ts";
import { SystemError } from "./libc.ts";

// With psi=0 or cgroup_disable=pressure the files exist but cannot be opened or read: ENOTSUP.
const EOPNOTSUPP = 95;

const PRESSURE_LINE = /^(some|full) avg10=(\d+\.\d+) avg60=(\d+\.\d+) avg300=(\d+\.\d+) total=(\d+)$/gm;

/**
 * Reads a pressure file, such as `/proc/pressure/memory` or a cgroup's `memory.pressure`; undefined if the kernel has
 * no pressure stall information or the cgroup is gone. Throws a SystemError, or an Error that names a malformed file.
 */
export function readPressure(path: string): Pressure | undefined {
  const text = readPressureText(path);
  return text === undefined ? undefined : parsePressure(text, path);
}

/** Parses the text of a pressure file; throws an Error that names the malformed file. */
export function parsePressure(text: string, path: string): Pressure {
  const stalls = new Map(
    [...text.matchAll(PRESSURE_LINE)].map(([, kind, ...figures]) => [kind, stallOf(figures)]),
  );
  const some = stalls.get("some");
  if (some === undefined) throw new Error(`${path}: no line "some avg10=... total=..." in it`);
  return { some, full: stalls.get("full") };
}

/** Reads a pressure file as readPressure does, as text. */
export function readPressureText(path: string): string | undefined {
  try {
    return readRecord(path);
  } catch (error) {
    if (error instanceof SystemError && (error.isMissing || error.errno === EOPNOTSUPP)) return undefined;
    throw error;
  }
}

function stallOf(figures: readonly string[]): Stall {
  const [avg10Percent = 0, avg60Percent = 0, avg300Percent = 0, totalMicroseconds = 0] = figures.map(Number);
  return { avg10Percent, avg60Percent, avg300Percent, totalMicroseconds };
}
