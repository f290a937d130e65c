import type { Journal, JournalEntry } from "./journal.ts";
import type { Part } from "./part.ts";
import { type Plan, stepsOf } from "./plan.ts";
import type { Step } from "./step.ts";

/**
 * Order in which parts are undone. The hook and NRI come first, so that no further container gets swap. The swap precedes
 * the settings that a node with swap needs. The binary comes last: without it, the hook of an earlier wasp, which has no
 * guard, would fail every container.
 */
const UNDO_ORDER: readonly Part[] = [
  "hook",
  "containerd",
  "swap",
  "system-slice",
  "kubelet",
  "cri-o",
  "binary",
];

/** A journal entry and how it is undone. */
export interface Undo {
  readonly entry: JournalEntry;
  readonly action: /** It is removed. */
    | "remove"
    /** The original file is restored. */
    | "restore"
    /** Its undo command is run. */
    | "run"
    /** It is kept: it was changed since, or the folder is not empty. */
    | "keep"
    /** It is gone, or in its original state already. */
    | "none"
    /** It cannot be undone now, and therefore nothing is undone. */
    | "refuse";
  readonly why?: string;
}

/**
 * Returns the journal's entries of the selected parts, in the order in which they are undone. The folders of all parts
 * come last, as a folder may hold files of several parts.
 */
export function undoOrder({ made }: Journal, selected: readonly Part[]): readonly JournalEntry[] {
  const latestFirst = made.toReversed();
  const entries = UNDO_ORDER.filter((part) => selected.includes(part)).flatMap((part) => {
    const ofPart = latestFirst.filter((entry) => entry.part === part && entry.kind !== "folder");
    return [...ofPart.filter((entry) => !isUndoneLast(entry)), ...ofPart.filter(isUndoneLast)];
  });
  return [...entries, ...latestFirst.filter(({ kind }) => kind === "folder")];
}

function isUndoneLast(entry: JournalEntry): boolean {
  return entry.kind === "command" && entry.undo.order === "last";
}

/**
 * Returns files, links and lines that the journal has for the parts of a plan and the plan no longer contains, in the order
 * in which they are undone. Commands are left out, because a plan omits those that need not run again.
 */
export function outdatedEntries(journal: Journal, plan: Plan): readonly JournalEntry[] {
  const planned = new Set(stepsOf(plan).map(placeOf));
  // A part without steps may only lack facts (its service is down, for example): its files are kept.
  const parts = plan.parts.filter(({ steps }) => steps.length > 0).map(({ part }) => part);
  return undoOrder(journal, parts).filter(
    (entry) => entry.kind !== "command" && entry.kind !== "folder" && !planned.has(placeOf(entry)),
  );
}

function placeOf(target: JournalEntry | Step): string {
  return JSON.stringify("path" in target ? [target.path, "line" in target ? target.line : ""] : target.argv);
}

/** Reasons for refusing to undo the selected parts without others. */
export function undoRefusals({ made }: Journal, selected: readonly Part[]): readonly string[] {
  const isKept =
    made.some(({ part, kind }) => part === "hook" && kind === "file") && !selected.includes("hook");
  if (!isKept || !selected.includes("binary")) return [];
  return [
    "the binary cannot be removed while the hook that runs it stays: no container would get swap; remove the hook too",
  ];
}
