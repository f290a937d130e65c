import type { CommandStep, Step } from "./step.ts";

/** What a step finds in its place. */
export type Found =
  /** What it would make. */
  | { readonly is: "as-planned" }
  /** Nothing, or not yet that line of the file. */
  | { readonly is: "absent"; readonly diff?: string }
  /** Something else, which it replaces. */
  | { readonly is: "other"; readonly diff?: string; readonly detail?: string }
  /** Something that it must not replace; why, with what would be right. */
  | { readonly is: "in-the-way"; readonly why: string };

/** A step compared with what is there. */
export interface Change {
  /** `defer`: a command of an image, which the first start makes up for; how it is undone is kept. */
  readonly action: "create" | "replace" | "run" | "defer" | "unchanged";
  readonly step: Step;
  /** For a text: how it changes, as diff -u shows it. */
  readonly diff?: string;
  /** What there is to say of what is replaced. */
  readonly detail?: string;
}

/** What the steps of a plan do to a host. */
export interface Comparison {
  /** Every step in its order; unchanged ones too, a command that is not to be run left out. */
  readonly changes: readonly Change[];
  /** What stands in the way; with one, nothing is done. */
  readonly refusals: readonly string[];
}

/** What decides on a command besides the steps before it. */
interface Circumstances {
  readonly isRunning: boolean;
  /** Whether a run that was cut off has yet to run it. */
  readonly isOwed: (step: CommandStep) => boolean;
  /** Whether the journal has how it is undone. */
  readonly isNoted: (step: CommandStep) => boolean;
}

/** Whether a change does something. */
export function isDoing({ action }: Change): boolean {
  return action !== "unchanged";
}

/**
 * Compares the steps with what each finds. A command that depends on a change is run when a step of its part before it
 * changes something, or when a run that was cut off owes it; an image of a host runs none, and keeps how those are undone
 * that are not noted yet.
 */
export function compareSteps(
  steps: readonly Step[],
  found: (step: Exclude<Step, CommandStep>) => Found,
  { isRunning, isOwed, isNoted }: Circumstances,
): Comparison {
  const changes: Change[] = [];
  const refusals: string[] = [];
  const changedParts = new Set<string>();
  for (const step of steps) {
    if (step.kind === "command") {
      const isDue = step.when === "always" || changedParts.has(step.part) || isOwed(step);
      if (isRunning && isDue) changes.push({ action: "run", step });
      if (!isRunning && step.undo !== undefined && !isNoted(step)) changes.push({ action: "defer", step });
      continue;
    }
    const result = found(step);
    if (result.is === "in-the-way") {
      refusals.push(result.why);
      continue;
    }
    const change = changeOf(step, result);
    if (isDoing(change)) changedParts.add(step.part);
    changes.push(change);
  }
  return { changes, refusals };
}

function changeOf(step: Step, result: Exclude<Found, { readonly is: "in-the-way" }>): Change {
  if (result.is === "as-planned") return { action: "unchanged", step };
  const { is, ...shown } = result;
  return { action: is === "absent" ? "create" : "replace", step, ...shown };
}
