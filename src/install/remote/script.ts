import { quoteWords } from "./quote.ts";

/** Parameters of the script that runs wasp on a host. */
export interface RemoteCall {
  /** Random prefix of the script's protocol lines, so that no other output can imitate them. */
  readonly mark: string;
  /** Folder of the host, owned by root, for a copy of wasp. */
  readonly folder: string;
  /** Path of an installed wasp; a host that has the same executable there gets no copy. */
  readonly installedPath: string;
  /** Arguments of wasp. */
  readonly argv: readonly string[];
}

// Both ways, the same shell runs the same script with the same arguments.
const AS_ROOT = ['[ "$(id -u)" != 0 ] || exec sh -c "$@"', 'echo "$2 sudo"', 'exec sudo -n -- sh -c "$@"'];

// One statement per entry, as the script has to be one line. Protocol: it prints `MARK ready ARCHITECTURE` and reads the
// digest and size of the executable; if the host lacks it, prints `MARK send` and reads the executable; prints
// `MARK running`, and exits with the status of wasp. Its standard input stays open: end of file means that the client is
// gone, and wasp is terminated.
const RUN_WASP = [
  "mark=$0 folder=$1 installed=$2 work= pid=",
  "shift 2",
  // The PATH of sudo and sshd may lack the folders of mkswap, wipefs and chroot.
  "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin",
  // Removes copies left by a power cut. Those of the current boot belong to other sessions.
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
    'is_whole "$program" || { echo "the copy of wasp is corrupt: its digest differs" >&2; exit 1; }; ' +
    "fi",
  'echo "$mark running"',
  "exec 3<&0 < /dev/null",
  // An empty environment: a variable such as BUN_BE_BUN turns the executable into another program.
  'env -i HOME=/root LC_ALL=C PATH="$PATH" "$program" "$@" 3<&- & pid=$!',
  '( read -r end; kill "$$" ) <&3 > /dev/null 2>&1 & watch=$!',
  "exec 3<&-",
  'wait "$pid"; status=$?; pid=',
  'kill "$watch"',
  'exit "$status"',
];

/** Returns the command line for the login shell; throws if an argument cannot be quoted. */
export function remoteCommand({ mark, folder, installedPath, argv }: RemoteCall): string {
  const scripts = ["sh", "-c", lineOf(AS_ROOT), "sh", lineOf(RUN_WASP)];
  return quoteWords([...scripts, mark, folder, installedPath, ...argv]);
}

// A semicolon is not allowed after `&`: both background jobs above have another command after it.
function lineOf(statements: readonly string[]): string {
  return statements.join("; ");
}
