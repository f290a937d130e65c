/** Runs kubectl, which finds the cluster by KUBECONFIG as ever, and returns what it prints; throws when it fails. */
export async function kubectl(...args: string[]): Promise<string> {
  const run = Bun.spawn(["kubectl", ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  if (exitCode === 0) return stdout;
  throw new Error(`${commandLine(["kubectl", ...args])}: ${stderr.trim() || `it ended with ${exitCode}`}`);
}

/** Runs a command whose output goes to standard error as it comes, below the command itself; throws when it fails. */
export async function runInView(command: readonly string[]): Promise<void> {
  showCommand(command);
  const run = Bun.spawn([...command], { stdin: "ignore", stdout: 2, stderr: "inherit" });
  const exitCode = await run.exited;
  if (exitCode !== 0) throw new Error(`${command[0]} ended with ${exitCode}, see above`);
}

/** Shows a command on standard error. */
export function showCommand(command: readonly string[]): void {
  console.error(`  $ ${commandLine(command)}`);
}

/** Returns a command as a shell would take it. */
export function commandLine(command: readonly string[]): string {
  const quote = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return command.map(quote).join(" ");
}
