import type { Group } from "./group.ts";

/** Groups of tests by what may run beside them. */
export interface Plan {
  /** Groups that need seconds of real time: nothing else runs meanwhile. */
  readonly alone: readonly Group[];
  /** Groups that run side by side, two per processor. */
  readonly sideBySide: readonly Group[];
  /** Groups that boot guests, one file each: two at once, as each guest keeps a processor busy. */
  readonly guests: readonly Group[];
}

/**
 * Files of which a promise about real time is tested: the hook gives up after 2 s, an agent leaves within its grace
 * period, a registry accepts an upload within a minute.
 */
const ALONE = [
  "tests/commands/agent-leave.test.ts",
  "tests/commands/hook.test.ts",
  "tests/sync/cluster-sync.test.ts",
  "tests/sync/push.test.ts",
];

/** Files and rooms that take long, longest first. They start first, so that none is left over at the end. */
const LONGEST_FIRST = [
  "tests/install",
  "tests/commands/install-cut-off.test.ts",
  "tests/commands/agent-eviction-refusals.test.ts",
  "tests/cluster/pod-watch-scale.test.ts",
  "tests/commands/agent-eviction-restart.test.ts",
  "tests/commands/agent-swap-reach.test.ts",
  "tests/image.test.ts",
  "tests/runc/hook-pod.test.ts",
  "tests/commands/trace.test.ts",
  "tests/commands/agent-eviction.test.ts",
  "tests/runc/install-pod.test.ts",
  "tests/config",
  "tests/vm/install.test.ts",
  "tests/vm/install-swap.test.ts",
  "tests/vm/nri.test.ts",
  "tests/vm/agent-swap-reach.test.ts",
  "tests/vm/agent-eviction-hindered.test.ts",
  "tests/vm/agent-eviction-held.test.ts",
  "tests/vm/agent-eviction.test.ts",
  "tests/vm/hook.test.ts",
  "tests/vm/agent-image.test.ts",
  "tests/vm/image.test.ts",
  "tests/vm/pod-install.test.ts",
];

/** Rooms whose tests are short: one process for each room saves the start of a process per file. */
const SHORT_ROOMS = [
  "agent",
  "config",
  "host",
  "install",
  "log",
  "policy",
  "sim",
  "terminal",
  "text",
  "trace",
];

const GUEST_SECONDS = 1800;

/** Returns the files that the plan names. */
export const namedFiles: readonly string[] = [...ALONE, ...LONGEST_FIRST];

/** Divides test files, given relative to the root, into groups. */
export function planOf(files: readonly string[], isFast: boolean): Plan {
  const guests = files.filter((file) => roomOf(file) === "vm");
  const others = files.filter((file) => roomOf(file) !== "vm" && !(isFast && roomOf(file) === "sync"));
  const isAlone = (file: string) => ALONE.includes(file);
  return {
    alone: others.filter(isAlone).map(groupOf),
    sideBySide: longestFirst(others.filter((file) => !isAlone(file))),
    guests: isFast
      ? []
      : longestFirst(guests).map((group) => ({ ...group, limitSeconds: GUEST_SECONDS, needsDisk: true })),
  };
}

function longestFirst(files: readonly string[]): Group[] {
  const short = files.filter((file) => SHORT_ROOMS.includes(roomOf(file)));
  const rooms = Map.groupBy(short, roomOf);
  const groups = [
    ...files.filter((file) => !short.includes(file)).map(groupOf),
    ...[...rooms].map(([room, filesOfRoom]) => ({ name: `tests/${room}`, files: filesOfRoom })),
  ];
  return groups.sort((a, b) => rankOf(a.name) - rankOf(b.name));
}

function rankOf(name: string): number {
  const rank = LONGEST_FIRST.indexOf(name);
  return rank === -1 ? LONGEST_FIRST.length : rank;
}

function groupOf(file: string): Group {
  return { name: file, files: [file] };
}

/** Returns the folder below tests/ that a file is in; empty for a file of tests/ itself. */
function roomOf(file: string): string {
  return /^tests\/([^/]+)\//.exec(file)?.[1] ?? "";
}
