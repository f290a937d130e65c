import { changeRoot } from "../../host/libc.ts";
import { digestOf } from "./atomic-file.ts";

/** The host on which wasp is installed: a running one, or an image of one. */
export interface Host {
  /** The folder that is its root, as a prefix of every path; empty for this host's own root. */
  readonly fsroot: string;
  /** True if it is running: only then are commands run in it, and the files of its kernel (/proc, /sys) read. */
  readonly isRunning: boolean;
  /** The executable that is installed on it. */
  readonly program: WaspExecutable;
  /** Runs a command on it and returns its standard output; throws an error with the command and its standard error. */
  run(argv: readonly string[]): string;
}

/** An executable of wasp. */
export interface WaspExecutable {
  /** A path of this process, not below the host's root. */
  readonly path: string;
  /** SHA-256 of its content, in hexadecimal digits. */
  readonly digest: string;
}

/** Returns the running executable, even if its file was replaced or removed; the digest is computed at its first use. */
export function runningExecutable(): WaspExecutable {
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

/** Returns a running host; commands are run below its root, which may be mounted into this container. */
export function runningHost(fsroot: string, program: WaspExecutable): Host {
  const below = fsroot === "" ? [] : ["chroot", fsroot];
  return { fsroot, isRunning: true, program, run: (argv) => run([...below, ...argv], argv.join(" ")) };
}

/**
 * Changes the root of this process to that of a running host and returns that host, so that no chroot(1) is needed. Throws
 * where that is not permitted.
 */
export function enteredHost(root: string, program: WaspExecutable): Host {
  changeRoot(root);
  return runningHost("", program);
}

/** Returns an image of a host, in which nothing is run. */
export function imageHost(fsroot: string, program: WaspExecutable): Host {
  const refuse = (argv: readonly string[]): never => {
    throw new Error(`${argv.join(" ")} cannot be run in the image ${fsroot}`);
  };
  return { fsroot, isRunning: false, program, run: refuse };
}

function run(argv: readonly string[], shown: string): string {
  const { exitCode, signalCode, stdout, stderr } = spawn(argv, shown);
  if (exitCode === 0) return stdout.toString();
  const how = signalCode === undefined ? `exit status ${exitCode}` : `killed by ${signalCode}`;
  throw new Error(`${shown}: ${how}: ${stderr.toString().trim() || "nothing on standard error"}`);
}

// Under a plain su, and in cron, PATH has none of these, and mkswap, wipefs or chroot would not be found.
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** Returns the environment of commands: the system's own folders come last in PATH. */
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
