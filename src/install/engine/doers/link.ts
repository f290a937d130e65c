import { readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { removeDurably, syncFolder, unfinishedOf } from "../../target/atomic-file.ts";
import { folderOf, locate, statOf } from "../../target/locate.ts";
import type { MadeLink } from "../journal.ts";
import type { LinkStep } from "../step.ts";
import type { Doer, Undoer } from "./doer.ts";

/** Makes symbolic links. */
export const linkDoer: Doer<LinkStep, MadeLink> = {
  look: ({ path, target }, host) => {
    const found = targetAt(locate(host.fsroot, path));
    if (found === undefined) return { is: "absent" };
    if (found === target) return { is: "as-planned" };
    return { is: "in-the-way", why: `${path} is there and is no link to ${target}: move it away` };
  },
  prepare: ({ part, path, target }) => ({ kind: "link", part, path, target }),
  take: ({ path, target }, host) => {
    const place = locate(host.fsroot, path);
    const unfinished = unfinishedOf(place);
    rmSync(unfinished, { force: true });
    symlinkSync(target, unfinished);
    renameSync(unfinished, place);
    syncFolder(folderOf(place));
  },
};

/** Removes symbolic links that still lead where wasp made them lead. */
export const linkUndoer: Undoer<MadeLink> = {
  judge: ({ path, target }, host) => {
    const found = targetAt(locate(host.fsroot, path));
    if (found === undefined) return { action: "none", why: "it is not there any more" };
    return found === target
      ? { action: "remove" }
      : { action: "keep", why: "it was changed since wasp made it" };
  },
  undo: ({ path }, host) => removeDurably(locate(host.fsroot, path)),
};

/** Where a link leads; empty for what is no link, undefined where nothing is. */
function targetAt(place: string): string | undefined {
  const stat = statOf(place);
  if (stat === undefined) return undefined;
  return stat.isSymbolicLink() ? readlinkSync(place) : "";
}
