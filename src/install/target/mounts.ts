import { readFile } from "../../host/file.ts";
import { unescapeOctal } from "./octal-escapes.ts";

/** A mounted file system. */
export interface Mount {
  /** Device number, as major:minor. */
  readonly number: string;
  readonly mountPoint: string;
  readonly type: string;
  readonly source: string;
  /** Options of the file system, not of the mount. */
  readonly options: readonly string[];
}

/** Reads the mounts of the first process of the node below fsroot; throws an error that names the file. */
export function readMounts(fsroot: string): Mount[] {
  const lines = readFile(`${fsroot}/proc/1/mountinfo`).split("\n");
  return lines.flatMap((line) => {
    const [left = "", right = ""] = line.split(" - ");
    const [, , number, , mountPoint] = left.split(" ");
    const [type = "", source = "", options = ""] = right.split(" ");
    if (number === undefined || mountPoint === undefined) return [];
    return {
      number,
      mountPoint: unescapeOctal(mountPoint),
      type,
      source: unescapeOctal(source),
      options: options.split(","),
    };
  });
}

/** Returns the mount that a path is on: the nearest above it, and of several at one mount point the last, which hides the others. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const isAbove = (mountPoint: string) =>
    path === mountPoint || path.startsWith(mountPoint === "/" ? "/" : `${mountPoint}/`);
  const above = mounts.filter(({ mountPoint }) => isAbove(mountPoint));
  const longest = Math.max(...above.map(({ mountPoint }) => mountPoint.length));
  return above.findLast(({ mountPoint }) => mountPoint.length === longest);
}

/** Returns true if a tmpfs is mounted with noswap. */
export function readHasNoswapMount(fsroot: string): boolean {
  return readMounts(fsroot).some(({ type, options }) => type === "tmpfs" && options.includes("noswap"));
}
