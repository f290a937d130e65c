import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { namesIn } from "../../host/directory.ts";
import { readFile, unlessGone } from "../../host/file.ts";
import { valueOfKey } from "../../host/key-values.ts";
import { SystemError } from "../../host/libc.ts";
import type { Host } from "./host.ts";
import { isNothing } from "./locate.ts";

/** A process of a host. */
export interface RunningProcess {
  readonly pid: number;
  /** Its command line. */
  readonly argv: readonly string[];
}

/** A process by the name that the kernel has for it. */
export interface NamedProcess extends RunningProcess {
  /** The text of its /proc/PID/comm: at most 15 characters. */
  readonly comm: string;
}

/** A process by the name in its command line. */
export interface ArgvProcess extends RunningProcess {
  /** The file name of its first argument. */
  readonly name: string;
}

/** Reads the processes of a running host with one of these names in /proc/PID/comm, except those of pods; none in an image. */
export function readProcessesByComm(host: Host, ...names: readonly string[]): readonly NamedProcess[] {
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

/**
 * Reads all processes of the node below fsroot that have a command line, except those of pods, which may have any name.
 * A process that ends meanwhile is left out.
 */
export function readProcessesByArgv(fsroot: string): ArgvProcess[] {
  const names = readdirSync(`${fsroot}/proc`).filter((name) => /^\d+$/.test(name));
  const pids = names.sort((a, b) => Number(a) - Number(b));
  return pids.flatMap((pid) => {
    const argv = readWords(`${fsroot}/proc/${pid}/cmdline`);
    const name = basename(argv[0] ?? "");
    return name === "" || isOfPod(readText(`${fsroot}/proc/${pid}/cgroup`))
      ? []
      : { pid: Number(pid), argv, name };
  });
}

/** Returns the process of a program; if there are several, the one with the lowest pid. */
export function findProcess(processes: readonly ArgvProcess[], program: string): ArgvProcess | undefined {
  return processes.find(({ name }) => name === program);
}

/** Reads the environment of a process, by name; throws a SystemError where that is not permitted. */
export function readEnvironment(fsroot: string, pid: number): ReadonlyMap<string, string> {
  const words = readWords(`${fsroot}/proc/${pid}/environ`);
  return new Map(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

/** Returns the root folder that a process sees: it may be in a container, or have its own mounts. */
export function rootOf(fsroot: string, { pid }: RunningProcess): string {
  const own = `${fsroot}/proc/${pid}/root`;
  return unlessGone(() => readdirSync(own)) === undefined ? fsroot : own;
}

/** Reads the start time of a process, in seconds of the wall clock. */
export function readStartSeconds(fsroot: string, pid: number): number {
  // The name, in brackets, may hold spaces and brackets.
  const stat = readFile(`${fsroot}/proc/${pid}/stat`);
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_TIME_FIELD]);
  const bootSeconds = valueOfKey(readFile(`${fsroot}/proc/stat`), "btime");
  if (!(ticks >= 0 && bootSeconds > 0)) throw new Error(`${fsroot}/proc/${pid}/stat: no start time in it`);
  return bootSeconds + ticks / TICKS_PER_SECOND;
}

// Counted from the field after the name.
const START_TIME_FIELD = 19;
// USER_HZ, on all machines that Kubernetes runs on.
const TICKS_PER_SECOND = 100;

const ESRCH = 3;

/** Returns true if the text of a /proc/PID/cgroup is that of a process of a pod. */
function isOfPod(cgroups: string): boolean {
  return /\/kubepods[./-]/.test(cgroups);
}

function readWords(path: string): readonly string[] {
  const words = readText(path).split("\0");
  return words.at(-1) === "" ? words.slice(0, -1) : words;
}

// Empty where the process has ended meanwhile.
function readText(path: string): string {
  try {
    return readFile(path);
  } catch (error) {
    if (error instanceof SystemError && (error.isMissing || error.errno === ESRCH)) return "";
    throw error;
  }
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
