import { isOwed, isRecorded, type Journal } from "./journal.ts";
import type { CommandStep, Step } from "./step.ts";

/** State of the path that a step is for. */
export type StepState =
  /** As the step would make it. */
  | { readonly is: "as-planned" }
  /** Missing; of a line, missing in its file. */
  | { readonly is: "absent"; readonly diff?: string }
  /** Different content, which the step replaces. */
  | { readonly is: "other"; readonly diff?: string; readonly detail?: string }
  /** Something that the step must not replace; `why` includes the remedy. */
  | { readonly is: "in-the-way"; readonly why: string };

/** A step and its effect on a host. */
export interface Change {
  /** `defer`: a command that an image does not run; the first boot has the same effect, and the journal keeps its undo. */
  readonly action: "create" | "replace" | "run" | "defer" | "unchanged";
  readonly step: Step;
  /** Difference of the text, in the format of diff -u. */
  readonly diff?: string;
  /** Description of what is replaced. */
  readonly detail?: string;
}

/** Effect of a plan on a host. */
export interface Comparison {
  /** All steps in order, including unchanged ones; without the commands that are not due. */
  readonly changes: readonly Change[];
  /** Reasons for changing nothing at all. */
  readonly refusals: readonly string[];
}

/** Returns true if a change changes the host. */
export function hasEffect({ action }: Change): boolean {
  return action !== "unchanged";
}

/**
 * Compares steps with the state of their paths. A command with `when: "changed"` is due if a preceding step of its part
 * changes something, or if an interrupted run owes it. An image runs no command: the journal records its undo.
 */
export function compareSteps(
  steps: readonly Step[],
  stateOf: (step: Exclude<Step, CommandStep>) => StepState,
  journal: Journal,
  isRunning: boolean,
): Comparison {
  const changes: Change[] = [];
  const refusals: string[] = [];
  const changedParts = new Set<string>();
  for (const step of steps) {
    if (step.kind === "command") {
      const isDue = step.when === "always" || changedParts.has(step.part) || isOwed(journal, step);
      if (isRunning && isDue) changes.push({ action: "run", step });
      if (!isRunning && step.undo !== undefined && !isRecorded(journal, step))
        changes.push({ action: "defer", step });
      continue;
    }
    const state = stateOf(step);
    if (state.is === "in-the-way") {
      refusals.push(state.why);
      continue;
    }
    const change = toChange(step, state);
    if (hasEffect(change)) changedParts.add(step.part);
    changes.push(change);
  }
  return { changes, refusals };
}

function toChange(step: Step, state: Exclude<StepState, { readonly is: "in-the-way" }>): Change {
  if (state.is === "as-planned") return { action: "unchanged", step };
  const { is, ...shown } = state;
  return { action: is === "absent" ? "create" : "replace", step, ...shown };
}
