/** Commands of this host. */
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const POLL_MILLISECONDS = 50;

/** Exit and outputs of a command. */
export interface CommandResult {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Settings of a command. */
export interface CommandSettings {
  /** Standard input; empty by default. */
  readonly stdin?: Buffer | Bun.BunFile;
  /** Environment; that of this process by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Time after which it is killed; none by default. */
  readonly timeoutMilliseconds?: number;
}

/**
 * Runs a command to its end. Its outputs go to files, and its end is polled: Bun sometimes reports neither the end of a
 * pipe nor that of a process.
 */
export async function runToEnd(
  command: readonly string[],
  { stdin, env = process.env, timeoutMilliseconds }: CommandSettings = {},
): Promise<CommandResult> {
  const folder = await mkdtemp(join(tmpdir(), "wasp-command-"));
  const [stdoutFile, stderrFile] = [join(folder, "stdout"), join(folder, "stderr")];
  const outputs = [openSync(stdoutFile, "w"), openSync(stderrFile, "w")] as const;
  try {
    const child = Bun.spawn([...command], {
      stdio: [stdin ?? "ignore", ...outputs],
      env,
      killSignal: "SIGKILL",
      ...(timeoutMilliseconds !== undefined && { timeout: timeoutMilliseconds }),
    });
    while (child.exitCode === null && child.signalCode === null)
      await Promise.race([child.exited, Bun.sleep(POLL_MILLISECONDS)]);
    return {
      code: child.exitCode ?? undefined,
      signal: child.signalCode === null ? undefined : `${child.signalCode}`,
      stdout: readFileSync(stdoutFile, "utf8"),
      stderr: readFileSync(stderrFile, "utf8"),
    };
  } finally {
    for (const output of outputs) closeSync(output);
    await rm(folder, { recursive: true });
  }
}

/** Runs a program of this host and returns its standard output; throws with both outputs if it fails. */
export async function execute(...command: string[]): Promise<string> {
  const { code, signal, stdout, stderr } = await runToEnd(command);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code ?? signal}:\n${stderr}${stdout}`);
  return stdout;
}
