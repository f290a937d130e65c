import { quoteWords } from "./quote.ts";

/** What is asked of a host. */
export interface RemoteCall {
  /** What the script's own lines begin with: nothing else on the host can know it beforehand. */
  readonly mark: string;
  /** A folder of the host that belongs to root, for a copy of the program. */
  readonly folder: string;
  /** Where the program is once it is installed: nothing is copied to a host that has it already. */
  readonly installedProgram: string;
  /** What wasp is told there. */
  readonly argv: readonly string[];
}

// Either way the same shell runs the same script with the same words.
const AS_ROOT = ['[ "$(id -u)" != 0 ] || exec sh -c "$@"', 'echo "$2 sudo"', 'exec sudo -n -- sh -c "$@"'];

// One statement an entry, for it has to stand on one line. It says `MARK ready ARCHITECTURE` and is told the program's
// digest and bytes; says `MARK send` where it lacks it, and is sent it; says `MARK running`, and ends as wasp does.
// Its standard input stays open all the while: its end means that nobody waits for an outcome any more.
const RUN_WASP = [
  "mark=$0 folder=$1 installed=$2 work= pid=",
  "shift 2",
  // sudo and sshd may leave out where mkswap and systemctl's kin are.
  "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin",
  // What a power cut left of copies; those of this run of the host are other sessions'.
  "boot=$(cat /proc/sys/kernel/random/boot_id)",
  'for old in "$folder"/.wasp-ssh-*-*; do case $old in *"-ssh-$boot-"*) ;; *) rm -rf "$old" ;; esac; done',
  'clean() { [ -z "$work" ] || rm -rf "$work"; }',
  'stop() { [ -z "$pid" ] || { kill "$pid"; wait "$pid"; }; exit 1; }',
  "trap clean EXIT",
  "trap stop HUP INT TERM PIPE",
  'echo "$mark ready $(uname -m)"',
  "read -r digest bytes || exit 1",
  'is_whole() { [ "$(sha256sum < "$1")" = "$digest  -" ]; }',
  "program=$installed",
  'if ! { [ -f "$program" ] && is_whole "$program"; }; then ' +
    'work=$(mktemp -d "$folder/.wasp-ssh-$boot-XXXXXXXXXX") || exit 1; ' +
    "program=$work/wasp; " +
    'echo "$mark send"; ' +
    '{ head -c "$bytes" > "$program" && chmod 700 "$program"; } || exit 1; ' +
    'is_whole "$program" || { echo "the copy of wasp arrived damaged" >&2; exit 1; }; ' +
    "fi",
  'echo "$mark running"',
  "exec 3<&0 < /dev/null",
  // Nothing of the environment: a variable can make another program of wasp (BUN_BE_BUN).
  'env -i HOME=/root LC_ALL=C PATH="$PATH" "$program" "$@" 3<&- & pid=$!',
  '( read -r end; kill "$$" ) <&3 > /dev/null 2>&1 & watch=$!',
  "exec 3<&-",
  'wait "$pid"; status=$?; pid=',
  'kill "$watch"',
  'exit "$status"',
];

/** Writes the command line that ssh has the login shell run; throws where a word of it cannot be passed. */
export function remoteCommand({ mark, folder, installedProgram, argv }: RemoteCall): string {
  const scripts = ["sh", "-c", lineOf(AS_ROOT), "sh", lineOf(RUN_WASP)];
  return quoteWords([...scripts, mark, folder, installedProgram, ...argv]);
}

// After `&` no semicolon may stand, which the two background jobs above avoid.
function lineOf(statements: readonly string[]): string {
  return statements.join("; ");
}
