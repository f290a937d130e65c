// Failure posture: one host that fails stops no other. What was begun is seen through, unless somebody stops it all:
// then no more is begun, and what runs is told to end and to take its copy away.
import { randomBytes } from "node:crypto";
import type { Terminal } from "../../terminal/terminal.ts";
import { type Arch, type Program, readProgram } from "./executables.ts";
import { runOnHost, type SessionOptions } from "./host-session.ts";
import type { Host } from "./hosts.ts";
import type { HostOutcome } from "./outcome.ts";
import { type Progress, progressOn, type ShownOutput } from "./progress.ts";
import { remoteCommand } from "./script.ts";

/** What is to be run, on which hosts, and how. */
export interface HostsRun {
  readonly hosts: readonly Host[];
  /** What wasp is told on each: a command and its flags. */
  readonly remoteArgv: readonly string[];
  /** The executable for an architecture; throws where there is none, which fails the hosts that need it. */
  readonly programFor: (arch: Arch) => string;
  /** On how many hosts at a time, at least one. */
  readonly parallel: number;
  /** How long a host may take to answer, and altogether: neither is Infinity. */
  readonly connectSeconds: number;
  readonly timeoutSeconds: number;
  /** Where progress is shown. */
  readonly terminal: Terminal;
  readonly shownOutput: ShownOutput;
  /** Ends it all. */
  readonly stop: AbortSignal;
  /** The program to connect with, as it is found in PATH. */
  readonly ssh?: string;
  /** A folder of the hosts that belongs to root and that programs can be run from. */
  readonly folder?: string;
  /** Where the hosts have the program once it is installed. */
  readonly installedProgram?: string;
}

/**
 * Runs wasp on hosts over the system's ssh, and tells how it went on each, in their order. Throws where ssh is not
 * here, or where a word cannot be passed on.
 */
export async function runOnHosts(run: HostsRun): Promise<HostOutcome[]> {
  const { hosts, parallel, stop, terminal, shownOutput, ssh = "ssh" } = run;
  const program = Bun.which(ssh);
  if (program === null) throw new Error(`${ssh} is not in PATH: Debian has it in openssh-client`);
  const names = hosts.map(({ destination }) => destination);
  const progress = progressOn(terminal, names, shownOutput);
  const options = sessionOptions(run, program);
  const outcomes: HostOutcome[] = [];
  const waiting = [...hosts.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, host] = next;
      outcomes[index] = stop.aborted ? notBegun(host) : await attend(host, options, progress);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  progress.end();
  return outcomes;
}

function sessionOptions(run: HostsRun, ssh: string): SessionOptions {
  const { remoteArgv: argv, folder = "/var/lib", installedProgram = "/usr/local/bin/wasp" } = run;
  const mark = `wasp-${randomBytes(8).toString("hex")}`;
  const command = remoteCommand({ mark, folder, installedProgram, argv });
  const programs = new Map<Arch, Promise<Program>>();
  const programFor = async (arch: Arch) => {
    // Read once, for it is large.
    const program = programs.get(arch) ?? readProgram(run.programFor(arch));
    programs.set(arch, program);
    return await program;
  };
  return { ...run, ssh, command, mark, programFor };
}

function notBegun({ destination }: Host): HostOutcome {
  return { host: destination, result: "not-begun", seconds: 0, output: [] };
}

async function attend(host: Host, options: SessionOptions, progress: Progress): Promise<HostOutcome> {
  const outcome = await runOnHost(host, options, (activity) => progress.tell(host.destination, activity));
  progress.finish(outcome);
  return outcome;
}
