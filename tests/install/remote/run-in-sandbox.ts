import type { HostOutcome } from "../../../src/install/remote/outcome.ts";
import { type HostsRun, runOnHosts } from "../../../src/install/remote/run-on-hosts.ts";
import { type SandboxHost, SshSandbox } from "./ssh-sandbox.ts";

/** Runs wasp on all hosts of a sandbox, and returns the outcomes, the display and the copies that are left. */
export async function runOn(
  hosts: Readonly<Record<string, SandboxHost>>,
  differences: Partial<HostsRun> = {},
): Promise<{ outcomes: HostOutcome[]; shown: string; copies: string[] }> {
  await using sandbox = await SshSandbox.make(hosts);
  return await runIn(sandbox, Object.keys(hosts), differences);
}

/** Runs wasp on named hosts of a sandbox. */
export async function runIn(
  sandbox: SshSandbox,
  names: readonly string[],
  differences: Partial<HostsRun> = {},
) {
  let shown = "";
  const outcomes = await runOnHosts({
    hosts: names,
    remoteArgv: ["install"],
    executableFor: () => sandbox.program,
    parallel: 5,
    connectSeconds: 10,
    timeoutSeconds: 30,
    terminal: { write: (text) => (shown += text), isTerminal: false, columns: 80, rows: 24 },
    shownOutput: "failed",
    stop: new AbortController().signal,
    ssh: sandbox.ssh,
    folder: "lib",
    installedPath: "installed",
    ...differences,
  });
  return { outcomes, shown, copies: await sandbox.copies() };
}

/** Returns the lines of output of a host. */
export function textOf({ output }: HostOutcome): string[] {
  return output.map(({ text }) => text);
}

/** Returns the script of an ssh that fails with an error message. */
export function failing(text: string): string {
  return `echo "${text}" >&2; exit 255`;
}
