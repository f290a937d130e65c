import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { namesIn } from "../../host/directory.ts";
import { unlessGone } from "../../host/file.ts";
import type { Host } from "./host.ts";
import { folderOf, isNothing, locate, statOf } from "./locate.ts";

/** Reads a text file of a host, following links in it; undefined when nothing is there. Throws an error of the system. */
export function readIfThere(host: Host, path: string): string | undefined {
  const place = follow(host, path);
  return statOf(place) === undefined ? undefined : readFileSync(place, "utf8");
}

/** Whether something is at a path of a host, links followed. */
export function isThere(host: Host, path: string): boolean {
  return statOf(follow(host, path)) !== undefined;
}

/** Whether an executable file is at a path of a host. */
export function isExecutable(host: Host, path: string): boolean {
  const stat = statOf(follow(host, path));
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}

/** Where a host has a program of this name, its package's or one of its own; undefined for nowhere. */
export function programOf(host: Host, name: string): string | undefined {
  return [`/usr/bin/${name}`, `/usr/local/bin/${name}`].find((path) => isExecutable(host, path));
}

/** The paths of the regular files in a folder of a host, by name; none where there is no such folder. */
export function filesIn(host: Host, folder: string): readonly string[] {
  const names = namesIn(follow(host, folder)).map((name) => `${folder}/${name}`);
  return names.filter((path) => statOf(follow(host, path))?.isFile() === true);
}

/** Whether files can be made in a folder of a host, which itself may have to be made first. */
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
 * The paths of the regular files in a folder of a host and in all folders below it, in the order of Go's filepath.Walk,
 * by which the kubelet and CRI-O come by their drop-ins: by name, a folder's own files in its place, no link to a folder
 * followed.
 */
export function filesBelow(host: Host, folder: string): readonly string[] {
  const place = follow(host, folder);
  return namesIn(place).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (statOf(`${place}/${name}`)?.isDirectory() === true) return filesBelow(host, path);
    return statOf(follow(host, path))?.isFile() === true ? path : [];
  });
}

/** The paths of all files below a folder as Go's filepath.Walk comes by them: by name, a folder's own files in its place. */
export function walk(folder: string): string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? walk(path) : path;
    });
}

/** A process of a host. */
export interface RunningProcess {
  readonly pid: number;
  /** Its command line. */
  readonly argv: readonly string[];
}

/** A process by what the kernel calls it. */
export interface NamedProcess extends RunningProcess {
  /** The text of its /proc/PID/comm: at most 15 characters. */
  readonly comm: string;
}

/** The processes of a running host that have one of these names, save those of pods; none in an image. */
export function processesNamed(host: Host, ...names: readonly string[]): readonly NamedProcess[] {
  if (!host.isRunning) return [];
  const processes = namesIn(`${host.fsroot}/proc`).filter((entry) => /^\d+$/.test(entry));
  return processes.flatMap((process) => {
    const folder = `${host.fsroot}/proc/${process}`;
    const comm = readUnlessGone(`${folder}/comm`)?.trim() ?? "";
    if (!names.includes(comm)) return [];
    if (isOfPod(readUnlessGone(`${folder}/cgroup`) ?? "")) return [];
    const argv = readUnlessGone(`${folder}/cmdline`)?.split("\0").slice(0, -1) ?? [];
    return argv.length === 0 ? [] : [{ comm, pid: Number(process), argv }];
  });
}

/** Whether a process is one of a pod, whatever it is called, by the text of its /proc/PID/cgroup. */
export function isOfPod(cgroups: string): boolean {
  return /\/kubepods[./-]/.test(cgroups);
}

/** Where a path of a host leads, its last name followed too. */
export function follow({ fsroot }: Host, path: string): string {
  return locate(fsroot, `${path}/.`);
}

function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    // A process that ends meanwhile gives ESRCH.
    if (isNothing(error) || (error as NodeJS.ErrnoException).code === "ESRCH") return undefined;
    throw error;
  }
}
