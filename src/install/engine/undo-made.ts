import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { unfinishedOf } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { locate, statOf } from "../target/locate.ts";
import { judge, undo as undoByHand } from "./doers/doers.ts";
import { type Made, type MadeFolder, withoutMade } from "./journal.ts";
import { readJournal, removeJournal, writeJournal } from "./journal-file.ts";
import type { Part } from "./part.ts";
import type { Plan } from "./plan.ts";
import { outdatedMade, type Undo, undoOrder } from "./undo-order.ts";

/** Tells what is to become of what wasp made for the chosen parts, in the order of undoing it, and changes nothing. */
export function judgeMade(host: Host, chosen: readonly Part[]): readonly Undo[] {
  const journal = readJournal(host);
  const order = undoOrder(journal, chosen);
  const staying = journal.made.flatMap((made) =>
    "path" in made && !order.includes(made) ? [made.path] : [],
  );
  const going = new Set<string>();
  return order.flatMap((made) => {
    const isNeeded = made.kind === "folder" && staying.some((path) => path.startsWith(`${made.path}/`));
    if (isNeeded) return [];
    const undo = judgeOne(made, host, going);
    if ("path" in made) {
      const place = locate(host.fsroot, made.path);
      going.add(unfinishedOf(place));
      if (undo.action === "remove") going.add(place);
    } else if (undo.action === "run") {
      for (const path of made.undo.removes ?? []) going.add(locate(host.fsroot, path));
    }
    return [undo];
  });
}

/** Tells what is to become of what wasp made for a plan's parts, and the plan no longer has; changes nothing. */
export function judgeOutdated(host: Host, plan: Plan): readonly Undo[] {
  return outdatedMade(readJournal(host), plan).map((made) => judgeOne(made, host, new Set()));
}

/**
 * Undoes it, and tells of each once it is undone. The journal loses each once it is undone: a run that ends anywhere can be
 * repeated. Throws an error that names the first that cannot be undone. At the end the journal goes, if nothing is in it;
 * so does what a run left that was cut off at its very beginning or end, where there is nothing to undo.
 */
export function undoMade(undos: readonly Undo[], host: Host, onDone: (undo: Undo) => void = () => {}): void {
  for (const undo of undos) {
    undoOne(undo, host);
    writeJournal(host, withoutMade(readJournal(host), undo.made));
    onDone(undo);
  }
  if (readJournal(host).made.length === 0) removeJournal(host);
}

function judgeOne(made: Made, host: Host, going: ReadonlySet<string>): Undo {
  if (made.kind === "folder") return judgeFolder(made, host, going);
  if (made.kind !== "command") return judge(made, host);
  return host.isRunning
    ? { made, action: "run" }
    : { made, action: "none", why: "nothing is run in an image" };
}

function judgeFolder(made: MadeFolder, { fsroot }: Host, going: ReadonlySet<string>): Undo {
  const folder = locate(fsroot, made.path);
  if (!statOf(folder)?.isDirectory()) return { made, action: "none", why: "it is not there any more" };
  const isLeftEmpty = readdirSync(folder).every((name) => going.has(`${folder}/${name}`));
  return isLeftEmpty ? { made, action: "remove" } : { made, action: "keep", why: "it is not empty" };
}

function undoOne({ made, action }: Undo, host: Host): void {
  if (made.kind === "command") {
    if (action === "run") host.run(made.undo.argv);
  } else if (made.kind === "folder") {
    if (action === "remove") rmdirSync(locate(host.fsroot, made.path));
  } else {
    if (action === "remove" || action === "restore") undoByHand(made, host, action);
    // Of a run that was cut off.
    rmSync(unfinishedOf(locate(host.fsroot, made.path)), { force: true });
  }
}
