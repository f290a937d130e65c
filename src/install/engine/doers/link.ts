import { readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { removeDurably, syncFolder, unfinishedOf } from "../../target/atomic-file.ts";
import { folderOf, locate, statOf } from "../../target/locate.ts";
import type { LinkEntry } from "../journal.ts";
import type { LinkStep } from "../step.ts";
import type { Doer, Undoer } from "./doer.ts";

/** Creates symbolic links. */
export const linkDoer: Doer<LinkStep, LinkEntry> = {
  look: ({ path, target }, host) => {
    const found = targetAt(locate(host.fsroot, path));
    if (found === undefined) return { is: "absent" };
    if (found === target) return { is: "as-planned" };
    return { is: "in-the-way", why: `${path} exists and is not a link to ${target}: move it away` };
  },
  prepare: ({ part, path, target }) => ({ kind: "link", part, path, target }),
  perform: ({ path, target }, host) => {
    const place = locate(host.fsroot, path);
    const unfinished = unfinishedOf(place);
    rmSync(unfinished, { force: true });
    symlinkSync(target, unfinished);
    renameSync(unfinished, place);
    syncFolder(folderOf(place));
  },
};

/** Removes symbolic links that still have the target that wasp gave them. */
export const linkUndoer: Undoer<LinkEntry> = {
  assess: ({ path, target }, host) => {
    const found = targetAt(locate(host.fsroot, path));
    if (found === undefined) return { action: "none", why: "it no longer exists" };
    return found === target
      ? { action: "remove" }
      : { action: "keep", why: "it was changed since wasp made it" };
  },
  undo: ({ path }, host) => removeDurably(locate(host.fsroot, path)),
};

/** Returns the target of a link; empty for anything but a link, undefined if nothing exists. */
function targetAt(place: string): string | undefined {
  const stat = statOf(place);
  if (stat === undefined) return undefined;
  return stat.isSymbolicLink() ? readlinkSync(place) : "";
}
