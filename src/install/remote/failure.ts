import { shorten } from "../../log/format-event.ts";
import { SSH_FAILED } from "./ssh.ts";
import type { OutputLine } from "./transcript.ts";

/** Progress of a session, up to its end or failure. */
export type Phase = "connecting" | "sudo" | "preparing" | "copying" | "running";

/** End of an ssh process. */
export interface Ending {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly phase: Phase;
  readonly output: readonly OutputLine[];
}

/** Returns the exit status of wasp on the host; undefined if wasp was not run, or not to its end. */
export function exitStatusOf({ exitCode, phase }: Ending): number | undefined {
  return phase === "running" ? commandStatus(exitCode) : undefined;
}

/** Returns in one line the reason for a host's failure, and the remedy. */
export function reasonOf(host: string, { exitCode, phase, output }: Ending): string {
  const status = commandStatus(exitCode);
  const isLost = status === undefined;
  const because = asReason(lastLine(output));
  if (phase === "connecting") {
    const unrun = `its login shell exited with status ${status} without running the command`;
    return connectionFault(host, output) ?? `${isLost ? "no connection" : unrun}${because}`;
  }
  if (phase === "sudo")
    return `the user is not root and may not use sudo without a password${because}: log in as root, or allow sudo without a password`;
  if (phase === "running")
    return isLost
      ? `the connection was lost while wasp was running, so its work may be incomplete: run it again${because}`
      : `wasp exited with status ${status}${asReason(complaintOf(output))}`;
  return `${isLost ? "the connection was lost before wasp was run" : "wasp could not be copied to the host"}${because}`;
}

/** Returns the exit status of the command on the host; undefined if the exit code is ssh's own. */
function commandStatus(exitCode: number | null): number | undefined {
  return exitCode === null || exitCode === SSH_FAILED ? undefined : exitCode;
}

// Messages of OpenSSH, which are not translated.
const CHANGED_KEY = /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY DETECTED/;
const UNKNOWN_KEY = /No \S+ host key is known for|Host key verification failed/;
const REFUSED_LOGIN = /Permission denied \(/;

function connectionFault(host: string, output: readonly OutputLine[]): string | undefined {
  const saw = (pattern: RegExp) =>
    output.some(({ stream, text }) => stream === "stderr" && pattern.test(text));
  if (saw(CHANGED_KEY))
    return (
      "its host key has changed, which may be a man-in-the-middle attack: compare the fingerprint on the host's " +
      "console; if it matches, remove the old key with ssh-keygen -R"
    );
  if (saw(UNKNOWN_KEY))
    return (
      `its host key is unknown: run ssh ${host} once and compare the fingerprint, or compare the output of ` +
      "ssh-keyscan and add it to known_hosts"
    );
  if (saw(REFUSED_LOGIN))
    return `it rejected all offered keys${asReason(lastLine(output))}: configure another key for it in the ssh configuration, or add one to ssh-agent`;
  return undefined;
}

const MAX_REASON_CHARACTERS = 300;

function asReason(line: string | undefined): string {
  return line === undefined ? "" : `: ${shorten(line, MAX_REASON_CHARACTERS).replace(/\.$/, "")}`;
}

/** Returns the first error that wasp printed, the cause of the others; for a check without errors, its summary. */
function complaintOf(output: readonly OutputLine[]): string | undefined {
  const [complaint] = output.flatMap(({ stream, text }) =>
    stream === "stderr" ? (/^ *ERROR +(.*)$/.exec(text)?.[1] ?? []) : [],
  );
  if (complaint !== undefined || output.some(({ stream }) => stream === "stderr"))
    return complaint ?? lastLine(output);
  return output.find(({ text }) => /^\w/.test(text))?.text;
}

// Errors are printed last, and on standard error.
function lastLine(output: readonly OutputLine[]): string | undefined {
  const lines = output.filter(({ text }) => text.trim() !== "");
  return (lines.findLast(({ stream }) => stream === "stderr") ?? lines.at(-1))?.text.trim();
}
