import { mkdirSync } from "node:fs";
import { syncFolder } from "../target/atomic-file.ts";
import type { Host } from "../target/host.ts";
import { folderOf, locate, statOf } from "../target/locate.ts";
import { type Change, type Comparison, compareSteps, isDoing } from "./compare.ts";
import { look, prepare, type StepByHands, take } from "./doers/doers.ts";
import {
  isNoted,
  isOwed,
  type Journal,
  type Made,
  type MadeFolder,
  settled,
  withMade,
  withOwed,
  withoutOwed,
} from "./journal.ts";
import { readJournal, writeJournal } from "./journal-file.ts";
import type { Part } from "./part.ts";
import { type Plan, refusalsOf, stepsOf } from "./plan.ts";
import type { CommandStep } from "./step.ts";

/** Compares a plan with what is on a host, and changes nothing. Its refusals are the plan's, and what is in the way. */
export function comparePlan(plan: Plan, host: Host): Comparison {
  const journal = readJournal(host);
  const { changes, refusals } = compareSteps(stepsOf(plan), (step) => look(step, host), {
    isRunning: host.isRunning,
    isOwed: (step) => isOwed(journal, step),
    isNoted: (step) => isNoted(journal, step),
  });
  return { changes, refusals: [...refusalsOf(plan), ...refusals] };
}

/**
 * Makes the changes one after another, and tells of each once it is made. The journal has each before it is
 * made: a run that ends anywhere can be repeated, and undone. Throws an error that names the first that cannot be made.
 */
export function applyChanges(
  changes: readonly Change[],
  host: Host,
  onDone: (change: Change) => void = () => {},
): void {
  const doing = changes.filter(isDoing);
  let journal = readJournal(host);
  const keep = (next: Journal) => {
    journal = next;
    writeJournal(host, journal);
  };
  const owed = doing.flatMap(({ action, step }) =>
    action === "run" && step.kind === "command" && step.when === "changed" ? [step] : [],
  );
  if (owed.length > 0) keep(owed.reduce(withOwed, journal));
  for (const change of doing) {
    const { step } = change;
    if (step.kind === "command") runCommand(step, host, journal, keep);
    else takeStep(step, host, journal, keep);
    onDone(change);
  }
}

type Keep = (journal: Journal) => void;

function runCommand(step: CommandStep, host: Host, journal: Journal, keep: Keep): void {
  const { part, argv, undo } = step;
  const folders = (undo?.removes ?? []).flatMap((path) => madeFolders(host, part, path));
  const made: readonly Made[] = undo === undefined ? [] : [...folders, { kind: "command", part, argv, undo }];
  const noted = made.reduce(withMade, journal);
  if (noted !== journal) keep(noted);
  if (!host.isRunning) return;
  host.run(argv);
  if (isOwed(noted, step)) keep(withoutOwed(noted, step));
}

function takeStep(step: StepByHands, host: Host, journal: Journal, keep: Keep): void {
  const folders = madeFolders(host, step.part, step.path);
  const made = prepare(step, host, journal);
  const noted = [...folders, made].reduce(withMade, journal);
  keep(noted);
  for (const { path } of folders) makeFolder(locate(host.fsroot, path));
  take(step, host);
  keep(withMade(noted, settled(made)));
}

/** What is to be noted of the folders of a path that are not there, the outermost first. */
function madeFolders({ fsroot }: Host, part: Part, path: string): MadeFolder[] {
  const missing: MadeFolder[] = [];
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
