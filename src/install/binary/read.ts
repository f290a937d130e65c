import type { Host } from "../target/host.ts";
import { dangersOf } from "../target/owned-path.ts";
import { readOwnedPaths } from "../target/read-owned-paths.ts";
import type { InstalledBinary } from "./rules.ts";

/**
 * Reads the owners of the executable at a path, and runs it for its version unless a user other than root may change it,
 * or the host is an image. Throws an error with the unreadable path.
 */
export function readBinary(host: Host, path: string): InstalledBinary {
  const owned = readOwnedPaths(host.fsroot, path);
  const mayRun = host.isRunning && owned.length > 0 && dangersOf(owned).length === 0;
  return { path, owned, run: mayRun ? runForVersion(host, path) : undefined };
}

const TIMEOUT_SECONDS = "10";
// An empty environment, as the hook has: a variable could change what the executable does.
const CLEAN = ["env", "-i", "timeout", TIMEOUT_SECONDS];

function runForVersion(host: Host, path: string): InstalledBinary["run"] {
  try {
    return { version: host.run([...CLEAN, path, "--version"]).trim() };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}
