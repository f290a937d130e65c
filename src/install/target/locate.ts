import type { Stats } from "node:fs";
import { lstatSync, readlinkSync } from "node:fs";

// As many as the kernel follows.
const MAX_LINKS = 40;

/**
 * Resolves a path of a host to a path of this process: below fsroot, following the links of its folders as the host
 * would, so that an absolute link in an image stays inside it. The last name is not followed, and missing names are kept
 * as spelled. Throws where there are too many links.
 */
export function locate(fsroot: string, path: string): string {
  const rest = path.split("/").filter((name) => name !== "");
  let place: string[] = [];
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === ".") continue;
    if (name === "..") {
      place = place.slice(0, -1);
      continue;
    }
    const isLast = rest.length === 0;
    const target = isLast ? undefined : linkAt(`${fsroot}/${[...place, name].join("/")}`);
    if (target === undefined) {
      place.push(name);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new Error(`${fsroot}${path}: too many symbolic links in it`);
    if (target.startsWith("/")) place = [];
    rest.unshift(...target.split("/").filter((step) => step !== ""));
  }
  return `${fsroot}/${place.join("/")}`;
}

function linkAt(path: string): string | undefined {
  return statOf(path)?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/** Returns the stat of a path, of a link itself; undefined where the path is missing. Throws any other system error. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/** Returns true if an error means that a path is missing. */
export function isNothing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Returns the folder of a path. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
