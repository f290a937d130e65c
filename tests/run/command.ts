/** Commands that end with the runner, together with every process that they started. */
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";

/** Result of a command that ended. */
export interface Result {
  /** Undefined if a signal ended the command. */
  readonly exitCode: number | undefined;
  /** Standard output and standard error, as they were written. */
  readonly output: string;
}

/** Options of a command. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Time after which the command is killed. */
  readonly timeoutMilliseconds?: number;
  /**
   * True for temporary files in memory. wasp syncs what it writes, the executable's 115 MB too, and a disk that others
   * use needs seconds for that.
   */
  readonly isTmpInMemory?: boolean;
}

/**
 * Prefix of every command: a PID namespace that the kernel kills with the runner. A signal to each child would miss
 * what the child started: emulators, agents and servers.
 */
const IN_OWN_NAMESPACE = [
  ...["setpriv", "--pdeathsig", "KILL"],
  ...["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
  // The first process of a namespace has to reap orphans. The second command keeps the shell from replacing itself.
  ...["sh", "-c"],
];
const PLAIN = ['"$@"; exit $?', "sh"];
const WITH_TMP_IN_MEMORY = ['mount -t tmpfs -o mode=1777 wasp-tests "$TMPDIR" && "$@"; exit $?', "sh"];

const running = new Set<Bun.Subprocess>();

/** Runs a command to its end; kills it, and all that it started, when its time is up. */
export async function run(command: readonly string[], options: CommandOptions): Promise<Result> {
  const { cwd, env = process.env, timeoutMilliseconds, isTmpInMemory = false } = options;
  const folder = mkdtempSync(`${tmpdir()}/wasp-run-`);
  const tmp = `${folder}/tmp`;
  mkdirSync(tmp);
  // A file: a pipe would stay open as long as any descendant holds it.
  const output = openSync(`${folder}/output`, "a");
  try {
    const shell = isTmpInMemory ? WITH_TMP_IN_MEMORY : PLAIN;
    const child = Bun.spawn([...IN_OWN_NAMESPACE, ...shell, ...command], {
      cwd,
      env: isTmpInMemory ? { ...env, TMPDIR: tmp } : env,
      stdio: ["ignore", output, output],
      killSignal: "SIGKILL",
      ...(timeoutMilliseconds !== undefined && { timeout: timeoutMilliseconds }),
    });
    running.add(child);
    await child.exited;
    running.delete(child);
    const exitCode = child.signalCode === null ? (child.exitCode ?? undefined) : undefined;
    return { exitCode, output: readFileSync(`${folder}/output`, "utf8") };
  } finally {
    closeSync(output);
    rmSync(folder, { recursive: true });
  }
}

/** Kills every command that runs, and every process that they started. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}
