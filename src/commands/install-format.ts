import { applicable } from "../install/engine/applicable.ts";
import type { Change, Comparison } from "../install/engine/compare.ts";
import type { Plan } from "../install/engine/plan.ts";
import type { Undo } from "../install/engine/undo-order.ts";

const INDENT = "  ";

/**
 * Formats a plan as text: the changes of each part, with the differences of texts, and its notes; then the changes of an
 * earlier run that the plan no longer contains.
 */
export function showPlan({ parts }: Plan, { changes }: Comparison, outdated: readonly Undo[]): string {
  const blocks = parts.map(({ part, notes }) => {
    const ofPart = changes.filter(({ step }) => step.part === part);
    const lines = [...ofPart.flatMap(showChange), ...notes.flatMap((note) => indented(`note: ${note}`))];
    return lines.length === 0 ? "" : `${[part, ...lines].join("\n")}\n`;
  });
  const outdatedLines = outdated.flatMap((undo) => indented(undoLine(undo, UNDO_WORDS)));
  return [
    ...blocks,
    ...(outdatedLines.length === 0 ? [] : [`${["no longer planned", ...outdatedLines].join("\n")}\n`]),
  ].join("");
}

function showChange({ action, step, diff, detail }: Change): string[] {
  const reasons = applicable(detail, action !== "unchanged" && step.why);
  const line = `${action} ${subjectOf(step)}${reasons.length === 0 ? "" : `: ${reasons.join("; ")}`}`;
  return [...indented(line), ...indented(diff ?? "", 2)];
}

/** Formats undos as text, in order. */
export function showUndos(undos: readonly Undo[]): string {
  return undos.map((undo) => `${undoLine(undo, UNDO_WORDS)}\n`).join("");
}

/** Formats one completed undo as a line. */
export function undoneLine(undo: Undo): string {
  return undoLine(undo, UNDONE_WORDS);
}

/** Returns the undos that are not possible now, with the reasons. */
export function undoComplaints(undos: readonly Undo[]): readonly string[] {
  return undos.filter(({ action }) => action === "refuse").map((undo) => undoLine(undo, UNDO_WORDS));
}

type Words = Readonly<Record<Undo["action"], string>>;

const UNDO_WORDS: Words = {
  remove: "remove",
  restore: "restore",
  run: "run",
  keep: "keep",
  none: "nothing to do for",
  refuse: "cannot undo",
};

const UNDONE_WORDS: Words = {
  ...UNDO_WORDS,
  remove: "removed",
  restore: "restored",
  run: "ran",
  keep: "kept",
};

function undoLine({ entry, action, why }: Undo, words: Words): string {
  const subject = subjectOf(entry.kind === "command" ? entry.undo : entry);
  return `${words[action]} ${subject}${why === undefined ? "" : `: ${why}`}`;
}

type Subject = { readonly argv: readonly string[] } | { readonly path: string; readonly line?: string };

/** Returns the object of a step or of an undo: a path, or a command line. */
export function subjectOf(subject: Subject): string {
  if ("argv" in subject) return subject.argv.join(" ");
  const { path, line } = subject;
  return line === undefined ? path : `${path} (the line ${JSON.stringify(line)})`;
}

/** Returns a plan as data for JSON: the changes of each part, and those of an earlier run that it no longer contains. */
export function planAsData({ parts }: Plan, { changes }: Comparison, outdated: readonly Undo[]): object {
  const members = parts.map(({ part, refusals, notes }) => ({
    part,
    changes: changes.filter(({ step }) => step.part === part).map(changeAsData),
    refusals,
    notes,
  }));
  return { parts: members, outdated: undosAsData(outdated) };
}

function changeAsData({ action, step, diff, detail }: Change): object {
  const about = step.kind === "command" ? { argv: step.argv } : { path: step.path };
  return { action, kind: step.kind, ...about, why: step.why, detail, diff };
}

/** Returns undos as data for JSON. */
export function undosAsData(undos: readonly Undo[]): object[] {
  return undos.map(({ entry, action, why }) => {
    const about = entry.kind === "command" ? { argv: entry.undo.argv } : { path: entry.path };
    return { action, part: entry.part, kind: entry.kind, ...about, why };
  });
}

function indented(text: string, levels = 1): string[] {
  if (text === "") return [];
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => INDENT.repeat(levels) + line);
}
