import { mkdirSync } from "node:fs";
import { syncFolder } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { folderOf, locate, statOf } from "../target/locate.ts";
import { type Change, type Comparison, compareSteps, hasEffect } from "./compare.ts";
import { doerOf, type PathStep, prepare } from "./doers/doers.ts";
import {
  type FolderEntry,
  isOwed,
  type Journal,
  type JournalEntry,
  withEntry,
  withFinalDigest,
  withOwed,
  withoutOwed,
} from "./journal.ts";
import { readJournal, writeJournal } from "./journal-file.ts";
import type { Part } from "./part.ts";
import { type Plan, refusalsOf, stepsOf } from "./plan.ts";
import type { CommandStep } from "./step.ts";

/** Compares a plan with a host, without changing anything. The refusals are those of the plan and of its steps. */
export function comparePlan(plan: Plan, host: Host): Comparison {
  const lookAt = (step: PathStep) => doerOf(step).look(step, host);
  const { changes, refusals } = compareSteps(stepsOf(plan), lookAt, readJournal(host), host.isRunning);
  return { changes, refusals: [...refusalsOf(plan), ...refusals] };
}

/**
 * Applies the changes in order and reports each. Each is in the journal before it is applied, so that an interrupted run
 * can be repeated and undone. Throws an error that names the first change that fails.
 */
export function applyChanges(
  changes: readonly Change[],
  host: Host,
  onDone: (change: Change) => void = () => {},
): void {
  const effective = changes.filter(hasEffect);
  let journal = readJournal(host);
  const keep = (next: Journal) => {
    journal = next;
    writeJournal(host, journal);
  };
  const owed = effective.flatMap(({ action, step }) =>
    action === "run" && step.kind === "command" && step.when === "changed" ? [step] : [],
  );
  if (owed.length > 0) keep(owed.reduce(withOwed, journal));
  for (const change of effective) {
    const { step } = change;
    if (step.kind === "command") runCommand(step, host, journal, keep);
    else performStep(step, host, journal, keep);
    onDone(change);
  }
}

type Keep = (journal: Journal) => void;

function runCommand(step: CommandStep, host: Host, journal: Journal, keep: Keep): void {
  const { part, argv, undo } = step;
  const folders = (undo?.removes ?? []).flatMap((path) => missingFolders(host, part, path));
  const entries: readonly JournalEntry[] =
    undo === undefined ? [] : [...folders, { kind: "command", part, argv, undo }];
  const recorded = entries.reduce(withEntry, journal);
  if (recorded !== journal) keep(recorded);
  if (!host.isRunning) return;
  host.run(argv);
  if (isOwed(recorded, step)) keep(withoutOwed(recorded, step));
}

function performStep(step: PathStep, host: Host, journal: Journal, keep: Keep): void {
  const folders = missingFolders(host, step.part, step.path);
  const entry = prepare(step, host, journal);
  const recorded = [...folders, entry].reduce(withEntry, journal);
  keep(recorded);
  for (const { path } of folders) makeFolder(locate(host.fsroot, path));
  doerOf(step).perform(step, host);
  keep(withEntry(recorded, withFinalDigest(entry)));
}

/** Journal entries of the missing parent folders of a path, the outermost first. */
function missingFolders({ fsroot }: Host, part: Part, path: string): FolderEntry[] {
  const missing: FolderEntry[] = [];
  for (
    let folder = folderOf(path);
    folder !== "/" && statOf(locate(fsroot, folder)) === undefined;
    folder = folderOf(folder)
  )
    missing.unshift({ kind: "folder", part, path: folder });
  return missing;
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
  syncFolder(folderOf(folder));
}
