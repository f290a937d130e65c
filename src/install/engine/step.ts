import type { Part } from "./part.ts";

/** What every step has. */
interface StepOfPart {
  readonly part: Part;
  /** Why it is taken, for whoever reads the plan: a sentence without its full stop. */
  readonly why?: string;
}

/** A text file with this content, whatever was in its place; written at once, so that nobody reads half of it. */
export interface FileStep extends StepOfPart {
  readonly kind: "file";
  /** An absolute path of the host, without the folder that stands for its root. */
  readonly path: string;
  readonly text: string;
  /** As chmod(2) takes it. */
  readonly mode: number;
}

/** The executable that runs, copied. */
export interface ProgramStep extends StepOfPart {
  readonly kind: "program";
  readonly path: string;
  readonly mode: number;
}

/** One line in a file that others own, such as crypttab: added at its end if it is not in it; undone alone. */
export interface LineStep extends StepOfPart {
  readonly kind: "line";
  readonly path: string;
  /** Without its line end. */
  readonly line: string;
  /** Of the file, where there is none yet; 0644 unless told. */
  readonly mode?: number;
}

/** A symbolic link, such as systemd has one for a unit that is enabled. */
export interface LinkStep extends StepOfPart {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

/** How a command is undone. */
export interface UndoCommand {
  readonly argv: readonly string[];
  /**
   * "first": in its place of the reverse order, before what was made earlier goes (to stop a unit). "last": after all
   * else of its part is undone (to let systemd read its units again).
   */
  readonly order: "first" | "last";
  /** The files that it removes, for a command that makes them: their folder, made with them, goes with them. */
  readonly removes?: readonly string[];
}

/** A command, run without a shell. An image of a host runs none. */
export interface CommandStep extends StepOfPart {
  readonly kind: "command";
  readonly argv: readonly string[];
  /**
   * "changed": only if a step of its part before it changed something, in this run or in one that was cut off. "always":
   * whenever it is planned; a planner that sees in the facts that it is done leaves it out.
   */
  readonly when: "changed" | "always";
  readonly undo?: UndoCommand;
}

/**
 * One thing to do to a host, as data. A new kind is an interface here and its hands in host/install/hands: the compiler
 * names the places that lack it.
 */
export type Step = FileStep | ProgramStep | LineStep | LinkStep | CommandStep;

/** The kinds of steps. */
export type StepKind = Step["kind"];

/** A step of one kind. */
export type StepOf<Kind extends StepKind> = Extract<Step, { readonly kind: Kind }>;
