import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { namesIn } from "../../host/directory.ts";
import { unlessGone } from "../../host/file.ts";
import type { Host } from "./host.ts";
import { folderOf, locate, statOf } from "./locate.ts";

/** Reads a text file of a host, following the links of the host; undefined where it is missing. Throws a system error. */
export function readIfThere(host: Host, path: string): string | undefined {
  const place = follow(host, path);
  return statOf(place) === undefined ? undefined : readFileSync(place, "utf8");
}

/** Returns true if a path of a host exists; links are followed. */
export function isThere(host: Pick<Host, "fsroot">, path: string): boolean {
  return statOf(follow(host, path)) !== undefined;
}

/** Returns true if a path of a host is an executable file. */
export function isExecutable(host: Host, path: string): boolean {
  const stat = statOf(follow(host, path));
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}

/** Returns the path of a program of a host, in the folders for packages and for local programs; undefined for none. */
export function findProgram(host: Host, name: string): string | undefined {
  return [`/usr/bin/${name}`, `/usr/local/bin/${name}`].find((path) => isExecutable(host, path));
}

/** Returns the paths of the regular files in a folder of a host, by name; none where the folder is missing. */
export function filesIn(host: Host, folder: string): readonly string[] {
  const names = namesIn(follow(host, folder)).map((name) => `${folder}/${name}`);
  return names.filter((path) => statOf(follow(host, path))?.isFile() === true);
}

/** Returns true if files can be created in a folder of a host; a missing folder counts as its parent does. */
export function isWritable(host: Host, folder: string): boolean {
  const place = follow(host, folder);
  const stat = statOf(place);
  if (stat === undefined && folder !== "/") return isWritable(host, folderOf(folder));
  if (stat?.isDirectory() !== true) return false;
  try {
    accessSync(place, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the paths of the regular files in a folder of a host and in all folders below it, in the order of Go's
 * filepath.Walk, by which the kubelet and CRI-O read their drop-ins: by name, with the files of a folder at its place.
 * Links are followed below the host's root, and links to folders are left out.
 */
export function regularFilesBelow(host: Host, folder: string): readonly string[] {
  const place = follow(host, folder);
  return namesIn(place).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statOf(`${place}/${name}`)?.isDirectory() === true) return regularFilesBelow(host, path);
    return statOf(follow(host, path))?.isFile() === true ? path : [];
  });
}

/**
 * Returns the paths of all entries below a folder that are not folders, in the order of Go's filepath.Walk: by name, with
 * the entries of a folder at its place. The folder is a path of this process, and links are returned as they are.
 */
export function entriesBelow(folder: string): string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? entriesBelow(path) : path;
    });
}

/** Resolves a path of a host to a path of this process, following all links, that of the last name too. */
export function follow({ fsroot }: Pick<Host, "fsroot">, path: string): string {
  return locate(fsroot, `${path}/.`);
}
