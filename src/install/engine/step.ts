import type { Part } from "./part.ts";

/** Fields of every step. */
interface StepOfPart {
  readonly part: Part;
  /** Purpose of the step, as the plan shows it: a sentence without its full stop. */
  readonly why?: string;
}

/** Writes a text file atomically, replacing an existing one. */
export interface FileStep extends StepOfPart {
  readonly kind: "file";
  /** Absolute path of the host, without the prefix of its root folder. */
  readonly path: string;
  readonly text: string;
  /** Mode bits of chmod(2). */
  readonly mode: number;
}

/** Copies the executable of the running process. */
export interface ProgramStep extends StepOfPart {
  readonly kind: "program";
  readonly path: string;
  readonly mode: number;
}

/** Appends one line, if it is missing, to a file that wasp does not own, such as crypttab. Its undo removes only the line. */
export interface LineStep extends StepOfPart {
  readonly kind: "line";
  readonly path: string;
  /** Without the line end. */
  readonly line: string;
  /** Mode of a file that is created for the line; 0644 by default. */
  readonly mode?: number;
}

/** Creates a symbolic link, such as that of an enabled systemd unit. */
export interface LinkStep extends StepOfPart {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

/** Command that undoes another one. */
export interface UndoCommand {
  readonly argv: readonly string[];
  /**
   * "first": in its place of the reverse order, before earlier steps are undone (to stop a unit). "last": after all other
   * steps of its part are undone (to reload the units of systemd).
   */
  readonly order: "first" | "last";
  /** Files that it removes. Their parent folders are removed with them if the command created them. */
  readonly removes?: readonly string[];
}

/** Runs a command without a shell. Commands are not run in an image. */
export interface CommandStep extends StepOfPart {
  readonly kind: "command";
  readonly argv: readonly string[];
  /**
   * "changed": only if a preceding step of its part changed something, in this run or in an interrupted one. "always":
   * whenever it is planned; a planner leaves it out if the facts show that it is not needed.
   */
  readonly when: "changed" | "always";
  readonly undo?: UndoCommand;
}

/**
 * One step of a plan, as data. A new kind is an interface here and a doer in doers/: the compiler reports the places that
 * lack it.
 */
export type Step = FileStep | ProgramStep | LineStep | LinkStep | CommandStep;

/** A step of one kind. */
export type StepOf<Kind extends Step["kind"]> = Extract<Step, { readonly kind: Kind }>;
