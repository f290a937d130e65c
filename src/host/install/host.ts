/** The host that is made ready: a running one, or an image of one. */
export interface Host {
  /** The folder that stands for its root, as a prefix of every path; empty for this host's own root. */
  readonly fsroot: string;
  /** Whether it runs: only then are commands run in it, and its kernel's files (/proc, /sys) read. */
  readonly isRunning: boolean;
  /** Runs a command in it and returns its standard output; throws an error that names it and has its standard error. */
  run(argv: readonly string[]): string;
}

/** A host that runs; its commands are run below its root, as when that is mounted into a container. */
export function runningHost(fsroot: string): Host {
  const below = fsroot === "" ? [] : ["chroot", fsroot];
  return { fsroot, isRunning: true, run: (argv) => run([...below, ...argv], argv.join(" ")) };
}

/** An image of a host, in which nothing is run. */
export function imageHost(fsroot: string): Host {
  const refuse = (argv: readonly string[]): never => {
    throw new Error(`${argv.join(" ")} was to be run in the image ${fsroot}, where nothing is`);
  };
  return { fsroot, isRunning: false, run: refuse };
}

function run(argv: readonly string[], shown: string): string {
  const { exitCode, signalCode, stdout, stderr } = spawn(argv, shown);
  if (exitCode === 0) return stdout.toString();
  const how = signalCode === undefined ? `exit status ${exitCode}` : `ended by ${signalCode}`;
  throw new Error(`${shown}: ${how}: ${stderr.toString().trim() || "it said nothing on standard error"}`);
}

function spawn(argv: readonly string[], shown: string) {
  try {
    return Bun.spawnSync([...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  } catch (error) {
    throw new Error(`${shown}: ${(error as Error).message}`);
  }
}
