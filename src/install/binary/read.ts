import type { Host } from "../target/host.ts";
import { dangersOf } from "../target/owned-path.ts";
import { readOwnedPaths } from "../target/owned-paths.ts";
import type { InstalledBinary } from "./check-facts.ts";

/**
 * Looks at the executable with this path, and runs it for its version unless others than root may change it, or the host
 * is an image. Throws an error that names what cannot be looked at.
 */
export function readBinary(host: Host, path: string): InstalledBinary {
  const owned = readOwnedPaths(host.fsroot, path);
  const mayRun = host.isRunning && owned.length > 0 && dangersOf(owned).length === 0;
  return { path, owned, run: mayRun ? runForVersion(host, path) : undefined };
}

// With a clean environment, as its hook has: a variable could make another program of it.
const CLEAN = ["env", "-i", "timeout", "10"];

function runForVersion(host: Host, path: string): InstalledBinary["run"] {
  try {
    return { version: host.run([...CLEAN, path, "--version"]).trim() };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}
