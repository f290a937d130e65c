import { changeRoot } from "../../host/libc.ts";
import { digestOf } from "./atomic-file.ts";

/** The host that is made ready: a running one, or an image of one. */
export interface Host {
  /** The folder that stands for its root, as a prefix of every path; empty for this host's own root. */
  readonly fsroot: string;
  /** Whether it runs: only then are commands run in it, and its kernel's files (/proc, /sys) read. */
  readonly isRunning: boolean;
  /** The executable that is installed in it. */
  readonly program: Program;
  /** Runs a command in it and returns its standard output; throws an error that names it and has its standard error. */
  run(argv: readonly string[]): string;
}

/** An executable. */
export interface Program {
  /** Seen from here, not below the host's root. */
  readonly path: string;
  /** SHA-256 of its content, in hexadecimal digits. */
  readonly digest: string;
}

/** The executable that runs, whatever has become of the file that it was started from; read through once it is asked for. */
export function runningProgram(): Program {
  const path = "/proc/self/exe";
  let digest: string | undefined;
  return {
    path,
    get digest() {
      digest ??= digestOf(path);
      return digest;
    },
  };
}

/** A host that runs; its commands are run below its root, as when that is mounted into a container. */
export function runningHost(fsroot: string, program: Program): Host {
  const below = fsroot === "" ? [] : ["chroot", fsroot];
  return { fsroot, isRunning: true, program, run: (argv) => run([...below, ...argv], argv.join(" ")) };
}

/**
 * A host that runs, and that this process becomes a part of: its root is the process's own from now on, as no chroot(1) is
 * needed then where there is none. Throws where that may not be done.
 */
export function enteredHost(root: string, program: Program): Host {
  changeRoot(root);
  return runningHost("", program);
}

/** An image of a host, in which nothing is run. */
export function imageHost(fsroot: string, program: Program): Host {
  const refuse = (argv: readonly string[]): never => {
    throw new Error(`${argv.join(" ")} was to be run in the image ${fsroot}, where nothing is`);
  };
  return { fsroot, isRunning: false, program, run: refuse };
}

function run(argv: readonly string[], shown: string): string {
  const { exitCode, signalCode, stdout, stderr } = spawn(argv, shown);
  if (exitCode === 0) return stdout.toString();
  const how = signalCode === undefined ? `exit status ${exitCode}` : `ended by ${signalCode}`;
  throw new Error(`${shown}: ${how}: ${stderr.toString().trim() || "it said nothing on standard error"}`);
}

// Under a plain su, and in cron, these are missing: mkswap, wipefs, chroot and others would not be found.
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** What commands are run with: the folders of a system's own programs are looked through last. */
function environment(): Record<string, string | undefined> {
  const given = (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== "");
  return { ...process.env, PATH: [...new Set([...given, ...SYSTEM_FOLDERS])].join(":") };
}

function spawn(argv: readonly string[], shown: string) {
  try {
    return Bun.spawnSync([...argv], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: environment(),
    });
  } catch (error) {
    throw new Error(`${shown}: ${(error as Error).message}`);
  }
}
