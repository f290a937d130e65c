import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type BinaryFacts, dangersOf, type OwnedPath } from "../../../policy/install/check/binary-facts.ts";
import { unlessGone } from "../../kubepods.ts";
import type { Host } from "../host.ts";

/**
 * Looks at the executable with this path, and runs it for its version unless others than root may change it, or the host
 * is an image. Throws an error that names what cannot be looked at.
 */
export function readBinary(host: Host, path: string): BinaryFacts {
  const owned = ownedPaths(host.fsroot, path);
  const mayRun = host.isRunning && owned.length > 0 && dangersOf(owned).length === 0;
  return { path, owned, run: mayRun ? runForVersion(host, path) : undefined };
}

// A link's own folders and those of what it names both decide what is run.
function ownedPaths(fsroot: string, path: string, links = 0): OwnedPath[] {
  const found = unlessGone(() => lstatSync(fsroot + path));
  if (found === undefined || links > MAX_LINKS) return [];
  const folders = foldersAbove(path).map((folder) => ownedPath(fsroot, folder));
  if (!found.isSymbolicLink()) return [...folders, ownedPath(fsroot, path)];
  const target = ownedPaths(fsroot, resolve(dirname(path), readlinkSync(fsroot + path)), links + 1);
  return target.length === 0 ? [] : [...folders, ...target];
}

const MAX_LINKS = 8;

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === "/" ? ["/"] : [...foldersAbove(above), above];
}

function ownedPath(fsroot: string, path: string): OwnedPath {
  const { uid, gid, mode } = statSync(fsroot + path);
  return { path, uid, gid, mode: mode & 0o7777 };
}

// With a clean environment, as its hook has: a variable could make another program of it.
const CLEAN = ["env", "-i", "timeout", "10"];

function runForVersion(host: Host, path: string): BinaryFacts["run"] {
  try {
    return { version: host.run([...CLEAN, path, "--version"]).trim() };
  } catch (error) {
    return { failure: (error as Error).message };
  }
}
