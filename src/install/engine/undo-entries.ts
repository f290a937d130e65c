import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { unfinishedOf } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { locate, statOf } from "../target/locate.ts";
import { undoerOf } from "./doers/doers.ts";
import { type FolderEntry, type JournalEntry, withoutEntry } from "./journal.ts";
import { readJournal, removeJournal, writeJournal } from "./journal-file.ts";
import type { Part } from "./part.ts";
import type { Plan } from "./plan.ts";
import { outdatedEntries, type Undo, undoOrder } from "./undo-order.ts";

/** Returns how the journal's entries of the selected parts would be undone, in order, without changing anything. */
export function assessEntries(host: Host, selected: readonly Part[]): readonly Undo[] {
  const journal = readJournal(host);
  const order = undoOrder(journal, selected);
  const remainingPaths = journal.made.flatMap((entry) =>
    "path" in entry && !order.includes(entry) ? [entry.path] : [],
  );
  const removedPaths = new Set<string>();
  return order.flatMap((entry) => {
    const isInUse =
      entry.kind === "folder" && remainingPaths.some((path) => path.startsWith(`${entry.path}/`));
    if (isInUse) return [];
    const undo = assessOne(entry, host, removedPaths);
    if ("path" in entry) {
      const place = locate(host.fsroot, entry.path);
      removedPaths.add(unfinishedOf(place));
      if (undo.action === "remove") removedPaths.add(place);
    } else if (undo.action === "run") {
      for (const path of entry.undo.removes ?? []) removedPaths.add(locate(host.fsroot, path));
    }
    return [undo];
  });
}

/** Returns how entries that a plan no longer contains would be undone, without changing anything. */
export function assessOutdated(host: Host, plan: Plan): readonly Undo[] {
  return outdatedEntries(readJournal(host), plan).map((entry) => assessOne(entry, host, new Set()));
}

/**
 * Undoes entries in order and reports each. An entry leaves the journal once it is undone, so that an interrupted run can
 * be repeated. Throws an error that names the first entry that fails. An empty journal is removed at the end, even if
 * there was nothing to undo: an interrupted run may have left one.
 */
export function undoEntries(
  undos: readonly Undo[],
  host: Host,
  onDone: (undo: Undo) => void = () => {},
): void {
  for (const undo of undos) {
    undoOne(undo, host);
    writeJournal(host, withoutEntry(readJournal(host), undo.entry));
    onDone(undo);
  }
  if (readJournal(host).made.length === 0) removeJournal(host);
}

function assessOne(entry: JournalEntry, host: Host, removedPaths: ReadonlySet<string>): Undo {
  if (entry.kind === "folder") return assessFolder(entry, host, removedPaths);
  if (entry.kind !== "command") return { entry, ...undoerOf(entry).assess(entry, host) };
  return host.isRunning
    ? { entry, action: "run" }
    : { entry, action: "none", why: "commands are not run in an image" };
}

function assessFolder(entry: FolderEntry, { fsroot }: Host, removedPaths: ReadonlySet<string>): Undo {
  const folder = locate(fsroot, entry.path);
  if (!statOf(folder)?.isDirectory()) return { entry, action: "none", why: "it no longer exists" };
  const isEmptied = readdirSync(folder).every((name) => removedPaths.has(`${folder}/${name}`));
  return isEmptied ? { entry, action: "remove" } : { entry, action: "keep", why: "it is not empty" };
}

function undoOne({ entry, action }: Undo, host: Host): void {
  if (entry.kind === "command") {
    if (action === "run") host.run(entry.undo.argv);
  } else if (entry.kind === "folder") {
    if (action === "remove") rmdirSync(locate(host.fsroot, entry.path));
  } else {
    if (action === "remove" || action === "restore") undoerOf(entry).undo(entry, host, action);
    // An interrupted run may have left it.
    rmSync(unfinishedOf(locate(host.fsroot, entry.path)), { force: true });
  }
}
