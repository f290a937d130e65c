import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { OwnedPath } from "../../../policy/install/check/owned-path.ts";
import { unlessGone } from "../../kubepods.ts";

/**
 * Tells who may change a file of the host below fsroot: of itself and all folders above it, from the root on, and of what
 * a link in its place names; nothing where it is not there. Throws an error that names what cannot be looked at.
 */
export function readOwnedPaths(fsroot: string, path: string, links = 0): OwnedPath[] {
  const found = unlessGone(() => lstatSync(fsroot + path));
  if (found === undefined || links > MAX_LINKS) return [];
  const folders = foldersAbove(path).map((folder) => ownedPath(fsroot, folder));
  if (!found.isSymbolicLink()) return [...folders, ownedPath(fsroot, path)];
  const target = readOwnedPaths(fsroot, resolve(dirname(path), readlinkSync(fsroot + path)), links + 1);
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
