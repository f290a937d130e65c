import { readFile } from "../../host/file.ts";
import { unescapeOctal } from "./octal-escapes.ts";

/** A file system that is mounted. */
export interface Mount {
  /** major:minor */
  readonly number: string;
  readonly place: string;
  readonly type: string;
  readonly source: string;
  /** Of the file system, not of the mount. */
  readonly options: readonly string[];
}

/** Reads what is mounted on the node below fsroot, for its first process; throws an error that names the file. */
export function readMounts(fsroot: string): Mount[] {
  const lines = readFile(`${fsroot}/proc/1/mountinfo`).split("\n");
  return lines.flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , number, , place] = left.split(" ");
    const [type = "", source = "", options = ""] = right.split(" ");
    if (number === undefined || place === undefined) return [];
    return {
      number,
      place: unescapeOctal(place),
      type,
      source: unescapeOctal(source),
      options: options.split(","),
    };
  });
}

/** What a path is on: of the mounts above it the nearest, and of several in one place the last, which hides the others. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const isAbove = (place: string) => path === place || path.startsWith(place === "/" ? "/" : `${place}/`);
  const above = mounts.filter(({ place }) => isAbove(place));
  const longest = Math.max(...above.map(({ place }) => place.length));
  return above.findLast(({ place }) => place.length === longest);
}

/** Whether some file system in memory is mounted such that it is not swapped out. */
export function hasNoswapMount(fsroot: string): boolean {
  return readMounts(fsroot).some(({ type, options }) => type === "tmpfs" && options.includes("noswap"));
}
