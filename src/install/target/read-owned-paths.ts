import { lstatSync, readlinkSync } from "node:fs";
import { unlessGone } from "../../host/file.ts";
import type { OwnedPath } from "./owned-path.ts";

/**
 * Reads the owners and permissions of a path below fsroot and of each folder above it, from the root on, along all links;
 * empty where the path is missing. Throws an error that names what cannot be read.
 */
export function readOwnedPaths(fsroot: string, path: string): OwnedPath[] {
  const owned = new Map([["/", ownedPath(fsroot, "/")]]);
  const rest = namesIn(path);
  let place = "";
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "..") {
      place = place.slice(0, Math.max(0, place.lastIndexOf("/")));
      continue;
    }
    const next = `${place}/${name}`;
    const found = unlessGone(() => lstatSync(fsroot + next));
    if (found === undefined || links > MAX_LINKS) return [];
    if (found.isSymbolicLink()) {
      links += 1;
      const target = readlinkSync(fsroot + next);
      if (target.startsWith("/")) place = "";
      rest.unshift(...namesIn(target));
    } else {
      place = next;
      owned.set(place, ownedPath(fsroot, place));
    }
  }
  return [...owned.values()];
}

// As many as the kernel follows.
const MAX_LINKS = 40;

function namesIn(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

function ownedPath(fsroot: string, path: string): OwnedPath {
  const { uid, gid, mode } = lstatSync(fsroot + path);
  return { path, uid, gid, mode: mode & 0o7777 };
}
