import { appendFile, writeExistingFile } from "./file.ts";
import { isTerminal, write } from "./libc.ts";

const KERNEL_LOG = "/dev/kmsg";
// Facility user (1 << 3) with severity info (6) or warning (4), the two numbers that printk takes in front of a line.
// Not an error (3): the kernel prints those on the console, and a serial one holds the container's start for
// milliseconds.
const KERNEL_PRIORITY = { info: 14, warning: 12 } as const;
const STDERR = 2;

/**
 * Writes one line of the hook's to the log file; without one, or where it cannot be written, to the kernel's log,
 * which the journal collects (runtimes drop what a hook that succeeds prints); and as the last resort to standard
 * error. A warning is shown on a terminal too. Never throws: a log must not keep a container from starting.
 */
export function writeHookLog(logFile: string | undefined, severity: "info" | "warning", line: string): void {
  const name = `wasp[${process.pid}]: hook:`;
  const stamped = () => `${new Date().toISOString()} ${name} ${line}\n`;
  // Whoever tries the hook by hand would else see nothing of a mistake.
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
