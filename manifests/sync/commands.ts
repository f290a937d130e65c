/** Runs kubectl, which finds the cluster through KUBECONFIG, and returns its standard output. Throws if it fails. */
export async function kubectl(...args: string[]): Promise<string> {
  const run = Bun.spawn(["kubectl", ...args], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  if (exitCode === 0) return stdout;
  throw new Error(`${commandLine(["kubectl", ...args])}: ${stderr.trim() || `exit status ${exitCode}`}`);
}

/** Runs a command, and prints it and its output to standard error at once. Throws if it fails. */
export async function runInView(command: readonly string[]): Promise<void> {
  showCommand(command);
  const run = Bun.spawn([...command], { stdin: "ignore", stdout: 2, stderr: "inherit" });
  const exitCode = await run.exited;
  if (exitCode !== 0) throw new Error(`${command[0]} failed with exit status ${exitCode}, see above`);
}

/** Prints a command to standard error. */
export function showCommand(command: readonly string[]): void {
  console.error(`  $ ${commandLine(command)}`);
}

/** Returns a command line, quoted for a shell. */
export function commandLine(command: readonly string[]): string {
  const quote = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return command.map(quote).join(" ");
}
