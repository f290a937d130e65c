import { mkdirSync } from "node:fs";
import { type Change, type Comparison, compareSteps, isDoing } from "../../policy/install/change.ts";
import {
  isNoted,
  isOwed,
  type Journal,
  type Made,
  settled,
  withMade,
  withOwed,
  withoutOwed,
} from "../../policy/install/made.ts";
import { type Plan, refusalsOf, stepsOf } from "../../policy/install/plan.ts";
import type { CommandStep } from "../../policy/install/step.ts";
import { folderOf, locate, statOf } from "./below.ts";
import { look, prepare, type StepByHands, take } from "./hands/all.ts";
import type { Host } from "./host.ts";
import { readJournal, writeJournal } from "./journal-file.ts";
import { syncFolder } from "./whole-file.ts";

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
  const noted = undo === undefined ? journal : withMade(journal, { kind: "command", part, argv, undo });
  if (noted !== journal) keep(noted);
  if (!host.isRunning) return;
  host.run(argv);
  if (isOwed(noted, step)) keep(withoutOwed(noted, step));
}

function takeStep(step: StepByHands, host: Host, journal: Journal, keep: Keep): void {
  const folders = missingFolders(host, step.path);
  const made = prepare(step, host, journal);
  const noted = [...folders.map((path): Made => ({ kind: "folder", part: step.part, path })), made].reduce(
    withMade,
    journal,
  );
  keep(noted);
  for (const folder of folders) makeFolder(locate(host.fsroot, folder));
  take(step, host);
  keep(withMade(noted, settled(made)));
}

/** The folders of a path that are not there, the outermost first. */
function missingFolders({ fsroot }: Host, path: string): string[] {
  const missing: string[] = [];
  for (
    let folder = folderOf(path);
    folder !== "/" && statOf(locate(fsroot, folder)) === undefined;
    folder = folderOf(folder)
  )
    missing.unshift(folder);
  return missing;
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { mode: 0o755 });
  syncFolder(folderOf(folder));
}
