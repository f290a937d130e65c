import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { readFile, unlessGone } from "../../host/file.ts";
import { valueOfKey } from "../../host/key-values.ts";
import { SystemError } from "../../host/libc.ts";
import { isOfPod, type RunningProcess } from "./read-host.ts";

/** A process and how it was started. */
export interface Process extends RunningProcess {
  /** The file name of its program, as it was started. */
  readonly name: string;
}

/**
 * Reads all processes of the node below fsroot that have a command line, save those of pods, whose names tell nothing;
 * one that ends meanwhile is left out.
 */
export function readProcesses(fsroot: string): Process[] {
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

/** Finds a program among the processes by its name; of several that with the lowest pid. */
export function findProcess(processes: readonly Process[], program: string): Process | undefined {
  return processes.find(({ name }) => name === program);
}

/** Reads the environment of a process, by name; throws a SystemError where it may not be read. */
export function readEnvironment(fsroot: string, pid: number): ReadonlyMap<string, string> {
  const words = readWords(`${fsroot}/proc/${pid}/environ`);
  return new Map(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

/** The folder that a process sees as its root: it may be in a container, or have mounts of its own. */
export function rootOf(fsroot: string, { pid }: RunningProcess): string {
  const own = `${fsroot}/proc/${pid}/root`;
  return unlessGone(() => readdirSync(own)) === undefined ? fsroot : own;
}

/** Tells when a process was started, in seconds of the clock on the wall. */
export function readStartSeconds(fsroot: string, pid: number): number {
  // The name, in brackets, may hold spaces and brackets.
  const stat = readFile(`${fsroot}/proc/${pid}/stat`);
  const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[START_FIELD]);
  const bootSeconds = valueOfKey(readFile(`${fsroot}/proc/stat`), "btime");
  if (!(ticks >= 0 && bootSeconds > 0)) throw new Error(`${fsroot}/proc/${pid}/stat: no time of start in it`);
  return bootSeconds + ticks / TICKS_PER_SECOND;
}

// Counted from what comes after the name.
const START_FIELD = 19;
// USER_HZ, on all machines that Kubernetes runs on.
const TICKS_PER_SECOND = 100;

const ESRCH = 3;

function readWords(path: string): readonly string[] {
  const words = readText(path).split("\0");
  return words.at(-1) === "" ? words.slice(0, -1) : words;
}

// Nothing where the process has ended meanwhile.
function readText(path: string): string {
  try {
    return readFile(path);
  } catch (error) {
    if (error instanceof SystemError && (error.isMissing || error.errno === ESRCH)) return "";
    throw error;
  }
}
