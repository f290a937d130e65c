import { appendFile, writeExistingFile } from "./file.ts";
import { isTerminal, write } from "./libc.ts";

const KERNEL_LOG = "/dev/kmsg";
// Facility user (1 << 3) with severity info (6) or warning (4), the two numbers in the prefix of a line for printk. Not
// error (3): the kernel prints errors on the console, and a serial console delays the container's start by
// milliseconds.
const KERNEL_PRIORITY = { info: 14, warning: 12 } as const;
const STDERR = 2;

/**
 * Writes one line of the hook's log to the log file. Without one, or if the write fails, the line goes to the kernel's
 * log, which the journal collects (runtimes drop the output of a hook that succeeds), and as the last resort to
 * standard error. A warning is also shown on a terminal. Never throws: a log must not prevent a container's start.
 */
export function writeHookLog(logFile: string | undefined, severity: "info" | "warning", line: string): void {
  const name = `wasp[${process.pid}]: hook:`;
  const stamped = () => `${new Date().toISOString()} ${name} ${line}\n`;
  // On a terminal, an administrator who runs the hook by hand sees the warning.
  if (severity === "warning" && isTerminal(STDERR))
    succeeds(() => write(STDERR, stamped(), "standard error"));
  if (logFile !== undefined && succeeds(() => appendFile(logFile, stamped()))) return;
  if (succeeds(() => writeExistingFile(KERNEL_LOG, `<${KERNEL_PRIORITY[severity]}>${name} ${line}\n`)))
    return;
  succeeds(() => write(STDERR, stamped(), "standard error"));
}

function succeeds(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
