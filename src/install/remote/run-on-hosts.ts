// Failure posture: a host that fails does not stop the others. When the run is aborted, no further host is begun, and the
// running sessions are terminated and remove their copies of wasp.
import { randomBytes } from "node:crypto";
import type { Terminal } from "../../terminal/terminal.ts";
import { type Arch, type Executable, readExecutable } from "./executables.ts";
import { runOnHost, type SessionOptions } from "./host-session.ts";
import type { HostOutcome } from "./outcome.ts";
import { progressOn, type ShownOutput } from "./progress.ts";
import { remoteCommand } from "./script.ts";

/** Options of a run of wasp on hosts. */
export interface HostsRun {
  readonly hosts: readonly string[];
  /** Arguments of wasp on each host: a command and its flags. */
  readonly remoteArgv: readonly string[];
  /** Returns the executable for an architecture; throws if there is none, which fails the hosts of that architecture. */
  readonly executableFor: (arch: Arch) => string;
  /** Number of concurrent sessions, at least one. */
  readonly parallel: number;
  /** Time limits for the connection and for the whole session of a host; both finite. */
  readonly connectSeconds: number;
  readonly timeoutSeconds: number;
  /** Output for the progress. */
  readonly terminal: Terminal;
  readonly shownOutput: ShownOutput;
  /** Aborts the run. */
  readonly stop: AbortSignal;
  /** Name or path of the ssh program. */
  readonly ssh?: string;
  /** Folder of the hosts for a copy of wasp: owned by root, on a file system without noexec. */
  readonly folder?: string;
  /** Path of an installed wasp on the hosts. */
  readonly installedPath?: string;
}

/**
 * Runs wasp on hosts over the system's ssh, and returns their outcomes in the same order. Throws if ssh is not installed,
 * or if an argument cannot be passed to a remote shell.
 */
export async function runOnHosts(run: HostsRun): Promise<HostOutcome[]> {
  const { hosts, parallel, stop, terminal, shownOutput, ssh = "ssh" } = run;
  const program = Bun.which(ssh);
  if (program === null)
    throw new Error(`${ssh} is not in PATH: install it (package openssh-client on Debian)`);
  const progress = progressOn(terminal, hosts, shownOutput);
  const options = sessionOptions(run, program);
  const outcomes: HostOutcome[] = [];
  const waiting = [...hosts.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, host] = next;
      if (stop.aborted) outcomes[index] = { host, result: "not-begun", seconds: 0, output: [] };
      else {
        const outcome = await runOnHost(host, options, (activity) => progress.update(host, activity));
        progress.finish(outcome);
        outcomes[index] = outcome;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  progress.end();
  return outcomes;
}

function sessionOptions(run: HostsRun, ssh: string): SessionOptions {
  const { remoteArgv: argv, folder = "/var/lib", installedPath = "/usr/local/bin/wasp" } = run;
  const mark = `wasp-${randomBytes(8).toString("hex")}`;
  const command = remoteCommand({ mark, folder, installedPath, argv });
  const executables = new Map<Arch, Promise<Executable>>();
  const executableFor = async (arch: Arch) => {
    // Read only once: an executable is large.
    const executable = executables.get(arch) ?? readExecutable(run.executableFor(arch));
    executables.set(arch, executable);
    return await executable;
  };
  return { ...run, ssh, command, mark, executableFor };
}
