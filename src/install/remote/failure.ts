import { shorten } from "../../log/events.ts";
import { SSH_FAILED } from "./ssh.ts";
import type { OutputLine } from "./transcript.ts";

/** How far it came on a host. */
export type Phase = "connecting" | "sudo" | "preparing" | "copying" | "running";

/** How ssh ended. */
export interface Ending {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly phase: Phase;
  readonly output: readonly OutputLine[];
}

/** The exit status of wasp on the host; undefined where it did not come to that. */
export function exitStatusOf({ exitCode, phase }: Ending): number | undefined {
  return phase === "running" ? toldStatus(exitCode) : undefined;
}

/** Says in one line why a host is not done, and what to do about it. */
export function reasonOf(host: string, { exitCode, phase, output }: Ending): string {
  const status = toldStatus(exitCode);
  const isLost = status === undefined;
  const because = asReason(lastLine(output));
  if (phase === "connecting") {
    const unrun = `its login shell ended with ${status} and did not run what it was told`;
    return connectionFault(host, output) ?? `${isLost ? "no connection" : unrun}${because}`;
  }
  if (phase === "sudo")
    return `the user is not root and may not use sudo without a password${because}: log in as root, or allow it`;
  if (phase === "running")
    return isLost
      ? `the connection was lost while wasp ran, which may be half done: run it again${because}`
      : `wasp ended with ${status}${asReason(complaintOf(output))}`;
  return `${isLost ? "the connection was lost before wasp ran" : "wasp could not be copied there"}${because}`;
}

/** What the command on the host exited with; undefined where ssh tells of itself. */
function toldStatus(exitCode: number | null): number | undefined {
  return exitCode === null || exitCode === SSH_FAILED ? undefined : exitCode;
}

// In the words of OpenSSH, which it does not translate.
const CHANGED_KEY = /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY DETECTED/;
const UNKNOWN_KEY = /No \S+ host key is known for|Host key verification failed/;
const REFUSED_LOGIN = /Permission denied \(/;

function connectionFault(host: string, output: readonly OutputLine[]): string | undefined {
  const said = (pattern: RegExp) =>
    output.some(({ stream, text }) => stream === "stderr" && pattern.test(text));
  if (said(CHANGED_KEY))
    return (
      "its host key is not the one that is known here: somebody may be in between. Compare the fingerprint at its " +
      "console; if it is right, ssh-keygen -R takes the old one away"
    );
  if (said(UNKNOWN_KEY))
    return (
      `its host key is not known here: run ssh ${host} once and compare the fingerprint, or add what ssh-keyscan ` +
      "finds to known_hosts after comparing it"
    );
  if (said(REFUSED_LOGIN))
    return `it refuses the keys it was offered${asReason(lastLine(output))}: name another for it in ssh's configuration, or add it to the agent`;
  return undefined;
}

const MAX_REASON_CHARACTERS = 300;

function asReason(line: string | undefined): string {
  return line === undefined ? "" : `: ${shorten(line, MAX_REASON_CHARACTERS).replace(/\.$/, "")}`;
}

/** What wasp said first went wrong, as consequences follow; of a check, which complains of nothing, its summary. */
function complaintOf(output: readonly OutputLine[]): string | undefined {
  const [complaint] = output.flatMap(({ stream, text }) =>
    stream === "stderr" ? (/^ *ERROR +(.*)$/.exec(text)?.[1] ?? []) : [],
  );
  if (complaint !== undefined || output.some(({ stream }) => stream === "stderr"))
    return complaint ?? lastLine(output);
  return output.find(({ text }) => /^\w/.test(text))?.text;
}

// Errors come last, and on standard error.
function lastLine(output: readonly OutputLine[]): string | undefined {
  const lines = output.filter(({ text }) => text.trim() !== "");
  return (lines.findLast(({ stream }) => stream === "stderr") ?? lines.at(-1))?.text.trim();
}
