import { mkdirSync, readFileSync } from "node:fs";
import {
  type Content,
  digestOf,
  digestOfText,
  hasSameContent,
  removeDurably,
  writeAtomically,
} from "../../target/atomic-file.ts";
import type { Host } from "../../target/host.ts";
import { locate, statOf } from "../../target/locate.ts";
import type { StepState } from "../compare.ts";
import { unifiedDiff } from "../diff.ts";
import type { FileBefore, FileEntry } from "../journal.ts";
import { copiesOf } from "../journal-file.ts";
import type { FileStep, ProgramStep } from "../step.ts";
import type { Doer, Undoer } from "./doer.ts";

/** Writes text files. */
export const fileDoer: Doer<FileStep, FileEntry> = {
  look: (step, host) => {
    const path = locate(host.fsroot, step.path);
    const stat = statOf(path);
    if (stat === undefined) return { is: "absent", diff: unifiedDiff("", step.text) };
    if (!stat.isFile()) return notRegular(step);
    const diff = unifiedDiff(readFileSync(path, "utf8"), step.text);
    return diff === "" && modeOf(stat) === step.mode
      ? { is: "as-planned" }
      : { is: "other", diff, ...otherMode(stat, step) };
  },
  prepare: (step, host, earlier) => entryOf(step, host, digestOfText(step.text), earlier),
  perform: (step, host) => write(step, host, { text: step.text }),
};

/** Copies the executable of the running process. */
export const programDoer: Doer<ProgramStep, FileEntry> = {
  look: (step, host) => {
    const path = locate(host.fsroot, step.path);
    const stat = statOf(path);
    if (stat === undefined) return { is: "absent" };
    if (!stat.isFile()) return notRegular(step);
    if (!hasSameContent(path, host.program.path))
      return { is: "other", detail: `a different executable of ${stat.size} bytes` };
    return modeOf(stat) === step.mode ? { is: "as-planned" } : { is: "other", ...otherMode(stat, step) };
  },
  prepare: (step, host, earlier) => entryOf(step, host, host.program.digest, earlier),
  perform: (step, host) => write(step, host, { copyOf: host.program.path }),
};

/** Removes files that wasp wrote, or restores the originals. */
export const fileUndoer: Undoer<FileEntry> = {
  assess: ({ path, digests, before }, host) => {
    const place = locate(host.fsroot, path);
    const stat = statOf(place);
    if (stat === undefined) return { action: "none", why: "it no longer exists" };
    const digest = stat.isFile() ? digestOf(place) : undefined;
    if (digest !== undefined && digests.includes(digest))
      return { action: before === undefined ? "remove" : "restore" };
    if (digest !== undefined && digest === before?.digest)
      return { action: "none", why: "it is in its original state already" };
    return { action: "keep", why: "it was changed since wasp wrote it" };
  },
  undo: ({ path, before }, host, action) => {
    const place = locate(host.fsroot, path);
    if (action === "remove" || before === undefined) {
      removeDurably(place);
      return;
    }
    const copy = `${copiesOf(host)}/${before.digest}`;
    writeAtomically(place, { copyOf: copy }, before);
  },
};

type AnyFileStep = FileStep | ProgramStep;

function notRegular({ path, part }: AnyFileStep): StepState {
  return {
    is: "in-the-way",
    why: `${path} is not a regular file, and wasp replaces only those: move it away, or skip the ${part} part with --skip ${part}`,
  };
}

function modeOf({ mode }: { readonly mode: number }): number {
  return mode & 0o7777;
}

function otherMode(stat: { readonly mode: number }, { mode }: AnyFileStep): { detail?: string } {
  const octal = (bits: number) => bits.toString(8).padStart(4, "0");
  return modeOf(stat) === mode ? {} : { detail: `mode ${octal(modeOf(stat))} becomes ${octal(mode)}` };
}

function entryOf(step: AnyFileStep, host: Host, digest: string, earlier: FileEntry | undefined): FileEntry {
  const { part, path } = step;
  // The file may be that of an interrupted run: its entry has the original.
  const before = earlier === undefined ? keepCopy(host, path) : earlier.before;
  const digests = [...new Set([...(earlier?.digests ?? []), digest])].sort(
    (a, b) => Number(a === digest) - Number(b === digest),
  );
  return { kind: "file", part, path, digests, ...(before === undefined ? {} : { before }) };
}

function keepCopy(host: Host, path: string): FileBefore | undefined {
  const place = locate(host.fsroot, path);
  const stat = statOf(place);
  if (stat === undefined) return undefined;
  const { uid, gid } = stat;
  const before = { digest: digestOf(place), mode: modeOf(stat), uid, gid };
  const folder = copiesOf(host);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeAtomically(`${folder}/${before.digest}`, { copyOf: place }, { mode: 0o600 });
  return before;
}

function write({ path, mode }: AnyFileStep, host: Host, content: Content): void {
  writeAtomically(locate(host.fsroot, path), content, { mode });
}
