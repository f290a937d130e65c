import type { Change, Comparison } from "../install/engine/compare.ts";
import type { Plan } from "../install/engine/plan.ts";
import type { Step } from "../install/engine/step.ts";
import type { Undo } from "../install/engine/undo-order.ts";

const INDENT = "  ";

/**
 * Shows what a plan does, part by part: what changes, with its text, and what there is to know; and what becomes of what an
 * earlier run made and the plan no longer has.
 */
export function showPlan({ parts }: Plan, { changes }: Comparison, outdated: readonly Undo[]): string {
  const blocks = parts.map(({ part, notes }) => {
    const ofPart = changes.filter(({ step }) => step.part === part);
    const lines = [...ofPart.flatMap(showChange), ...notes.flatMap((note) => indented(`note: ${note}`))];
    return lines.length === 0 ? "" : `${[part, ...lines].join("\n")}\n`;
  });
  const gone = outdated.flatMap((undo) => indented(undoLine(undo, UNDO_WORDS)));
  return [...blocks, ...(gone.length === 0 ? [] : [`${["no longer planned", ...gone].join("\n")}\n`])].join(
    "",
  );
}

function showChange({ action, step, diff, detail }: Change): string[] {
  const reasons = [detail, action === "unchanged" ? undefined : step.why].filter(
    (reason) => reason !== undefined,
  );
  const line = `${action} ${subjectOf(step)}${reasons.length === 0 ? "" : `: ${reasons.join("; ")}`}`;
  return [...indented(line), ...indented(diff ?? "", 2)];
}

/** Shows what uninstalling does, in its order. */
export function showUndos(undos: readonly Undo[]): string {
  return undos.map((undo) => `${undoLine(undo, UNDO_WORDS)}\n`).join("");
}

/** Tells what became of one thing that wasp made. */
export function undoneLine(undo: Undo): string {
  return undoLine(undo, UNDONE_WORDS);
}

/** Tells which things that wasp made cannot be undone as things are, and why. */
export function undoComplaints(undos: readonly Undo[]): readonly string[] {
  return undos.filter(({ action }) => action === "refuse").map((undo) => undoLine(undo, UNDO_WORDS));
}

type Words = Readonly<Record<Undo["action"], string>>;

const UNDO_WORDS: Words = {
  remove: "remove",
  restore: "restore",
  run: "run",
  keep: "leave",
  none: "nothing to do for",
  refuse: "cannot undo",
};

const UNDONE_WORDS: Words = {
  remove: "removed",
  restore: "restored",
  run: "ran",
  keep: "left",
  none: "nothing to do for",
  refuse: "cannot undo",
};

function undoLine({ made, action, why }: Undo, words: Words): string {
  const line = made.kind === "line" ? ` (the line ${JSON.stringify(made.line)})` : "";
  const subject = made.kind === "command" ? made.undo.argv.join(" ") : `${made.path}${line}`;
  return `${words[action]} ${subject}${why === undefined ? "" : `: ${why}`}`;
}

/** What a step is about: a path, or a command line. */
export function subjectOf(step: Step): string {
  if (step.kind === "command") return step.argv.join(" ");
  return step.kind === "line" ? `${step.path} (the line ${JSON.stringify(step.line)})` : step.path;
}

/** A plan and what it changes, for programs: a part a member, each with its steps; and what the plan no longer has. */
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

/** What uninstalling does, for programs. */
export function undosAsData(undos: readonly Undo[]): object[] {
  return undos.map(({ made, action, why }) => {
    const about = made.kind === "command" ? { argv: made.undo.argv } : { path: made.path };
    return { action, part: made.part, kind: made.kind, ...about, why };
  });
}

function indented(text: string, levels = 1): string[] {
  if (text === "") return [];
  return text
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => INDENT.repeat(levels) + line);
}
