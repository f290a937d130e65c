import { statSync } from "node:fs";
import { readStartSeconds, rootOf } from "../target/processes.ts";
import type { RunningProcess } from "../target/read-host.ts";
import type { ChangedFile } from "./facts.ts";

/**
 * Tells which of a service's files of settings were changed after it was started; none where it does not run. Throws an
 * error that names what cannot be read.
 */
export function readChangedFiles(
  fsroot: string,
  service: ChangedFile["service"],
  process: RunningProcess | undefined,
  files: readonly string[],
): ChangedFile[] {
  if (process === undefined) return [];
  const root = rootOf(fsroot, process);
  const startSeconds = readStartSeconds(fsroot, process.pid);
  return files
    .filter((path) => statSync(root + path).mtimeMs / 1000 > startSeconds + TOLERANCE_SECONDS)
    .map((path) => ({ service, path }));
}

// A service's own start is known to a second or so.
const TOLERANCE_SECONDS = 2;
