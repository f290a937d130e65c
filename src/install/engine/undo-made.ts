import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { unfinishedOf } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { locate, statOf } from "../target/locate.ts";
import { assess, undo as undoPath } from "./doers/doers.ts";
import { type Made, type MadeFolder, withoutMade } from "./journal.ts";
import { readJournal, removeJournal, writeJournal } from "./journal-file.ts";
import type { Part } from "./part.ts";
import type { Plan } from "./plan.ts";
import { outdatedMade, type Undo, undoOrder } from "./undo-order.ts";

/** Returns how the journal's entries of the selected parts would be undone, in order, without changing anything. */
export function assessMade(host: Host, selected: readonly Part[]): readonly Undo[] {
  const journal = readJournal(host);
  const order = undoOrder(journal, selected);
  const remainingPaths = journal.made.flatMap((made) =>
    "path" in made && !order.includes(made) ? [made.path] : [],
  );
  const removedPaths = new Set<string>();
  return order.flatMap((made) => {
    const isInUse = made.kind === "folder" && remainingPaths.some((path) => path.startsWith(`${made.path}/`));
    if (isInUse) return [];
    const undo = assessOne(made, host, removedPaths);
    if ("path" in made) {
      const place = locate(host.fsroot, made.path);
      removedPaths.add(unfinishedOf(place));
      if (undo.action === "remove") removedPaths.add(place);
    } else if (undo.action === "run") {
      for (const path of made.undo.removes ?? []) removedPaths.add(locate(host.fsroot, path));
    }
    return [undo];
  });
}

/** Returns how entries that a plan no longer contains would be undone, without changing anything. */
export function assessOutdated(host: Host, plan: Plan): readonly Undo[] {
  return outdatedMade(readJournal(host), plan).map((made) => assessOne(made, host, new Set()));
}

/**
 * Undoes entries in order and reports each. An entry leaves the journal once it is undone, so that an interrupted run can
 * be repeated. Throws an error that names the first entry that fails. An empty journal is removed at the end, even if
 * there was nothing to undo: an interrupted run may have left one.
 */
export function undoMade(undos: readonly Undo[], host: Host, onDone: (undo: Undo) => void = () => {}): void {
  for (const undo of undos) {
    undoOne(undo, host);
    writeJournal(host, withoutMade(readJournal(host), undo.made));
    onDone(undo);
  }
  if (readJournal(host).made.length === 0) removeJournal(host);
}

function assessOne(made: Made, host: Host, removedPaths: ReadonlySet<string>): Undo {
  if (made.kind === "folder") return assessFolder(made, host, removedPaths);
  if (made.kind !== "command") return assess(made, host);
  return host.isRunning
    ? { made, action: "run" }
    : { made, action: "none", why: "commands are not run in an image" };
}

function assessFolder(made: MadeFolder, { fsroot }: Host, removedPaths: ReadonlySet<string>): Undo {
  const folder = locate(fsroot, made.path);
  if (!statOf(folder)?.isDirectory()) return { made, action: "none", why: "it no longer exists" };
  const isEmptied = readdirSync(folder).every((name) => removedPaths.has(`${folder}/${name}`));
  return isEmptied ? { made, action: "remove" } : { made, action: "keep", why: "it is not empty" };
}

function undoOne({ made, action }: Undo, host: Host): void {
  if (made.kind === "command") {
    if (action === "run") host.run(made.undo.argv);
  } else if (made.kind === "folder") {
    if (action === "remove") rmdirSync(locate(host.fsroot, made.path));
  } else {
    if (action === "remove" || action === "restore") undoPath(made, host, action);
    // An interrupted run may have left it.
    rmSync(unfinishedOf(locate(host.fsroot, made.path)), { force: true });
  }
}
