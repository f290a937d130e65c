import { statSync } from "node:fs";
import { type RunningProcess, readStartSeconds, rootOf } from "../target/processes.ts";
import type { ChangedFile } from "./facts.ts";

/**
 * Returns the settings files of a service that were changed after its start; none where it does not run. Throws an error
 * that names what cannot be read.
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

// The start time of a process is only known to about a second.
const TOLERANCE_SECONDS = 2;
