import type { Stats } from "node:fs";
import { lstatSync, readlinkSync } from "node:fs";

// As many as the kernel follows.
const MAX_LINKS = 40;

/**
 * Where a path of a host is, seen from here: below fsroot, following its folders' links as the host would, so that an
 * absolute link in an image does not lead out of it. The last name is not followed; what is not there yet is taken as it
 * is spelled.
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
    if (links > MAX_LINKS) throw new Error(`${fsroot}${path}: too many symbolic links on the way`);
    if (target.startsWith("/")) place = [];
    rest.unshift(...target.split("/").filter((step) => step !== ""));
  }
  return `${fsroot}/${place.join("/")}`;
}

function linkAt(path: string): string | undefined {
  return statOf(path)?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/** What is at a path, without following a link; undefined when nothing is there. Throws where that cannot be told. */
export function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that nothing is at a path. */
export function isNothing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** The folder that a path is in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
