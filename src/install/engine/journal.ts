import type { Part } from "./part.ts";
import type { UndoCommand } from "./step.ts";

interface MadeForPart {
  readonly part: Part;
}

/** What was in a file's place before; a copy of it is kept until wasp's file is undone. */
export interface FileBefore {
  /** SHA-256 of its content, in hexadecimal digits: the name of the copy. */
  readonly digest: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file that wasp wrote whole: a text or its executable. */
export interface MadeFile extends MadeForPart {
  readonly kind: "file";
  readonly path: string;
  /**
   * SHA-256 of what wasp wrote, in hexadecimal digits: several while one is being replaced by the next, so that a run
   * that was cut off between the two knows either as its own.
   */
  readonly digests: readonly string[];
  readonly before?: FileBefore;
}

/** A line that wasp added to a file of others. */
export interface MadeLine extends MadeForPart {
  readonly kind: "line";
  readonly path: string;
  readonly line: string;
  /** Whether the file was made for it, and goes when nothing else is in it. */
  readonly madeFile: boolean;
  /** Whether the line before it was given its end. */
  readonly endedLine: boolean;
}

/** A symbolic link. */
export interface MadeLink extends MadeForPart {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

/** A folder, made for what is in it; undone when it is empty. */
export interface MadeFolder extends MadeForPart {
  readonly kind: "folder";
  readonly path: string;
}

/** A command that was run, or was about to be, and has to be undone. */
export interface MadeCommand extends MadeForPart {
  readonly kind: "command";
  readonly argv: readonly string[];
  readonly undo: UndoCommand;
}

/** What wasp did to a host and has to undo, as the journal keeps it. */
export type Made = MadeFile | MadeLine | MadeLink | MadeFolder | MadeCommand;

/** The kinds of what is made. */
export type MadeKind = Made["kind"];

/** What is made of one kind. */
export type MadeOf<Kind extends MadeKind> = Extract<Made, { readonly kind: Kind }>;

/** A command that a run has yet to run, because of what it changed before. */
export interface OwedCommand extends MadeForPart {
  readonly argv: readonly string[];
}

/** What wasp keeps of what it did to a host. */
export interface Journal {
  readonly version: 1;
  /** In the order in which it was made. An entry is written before its thing is made: it may not be there. */
  readonly made: readonly Made[];
  readonly owed: readonly OwedCommand[];
}

/** The journal of a host where wasp made nothing. */
export const EMPTY_JOURNAL: Journal = { version: 1, made: [], owed: [] };

/** An entry once its thing is made: of what was about to replace what, the one is left. */
export function settled(made: Made): Made {
  return made.kind === "file" ? { ...made, digests: made.digests.slice(-1) } : made;
}

/** The entry for the same thing, if a journal has it. */
export function earlierMade<Kind extends MadeKind>(
  journal: Journal,
  made: MadeOf<Kind>,
): MadeOf<Kind> | undefined {
  return journal.made.find((other) => nameOf(other) === nameOf(made)) as MadeOf<Kind> | undefined;
}

/** The name of what was made: the same thing made again has the same. */
function nameOf(made: Made): string {
  return made.kind === "command"
    ? `command ${JSON.stringify(made.argv)} of ${made.part}`
    : `${made.kind} ${made.path}${made.kind === "line" ? ` ${made.line}` : ""}`;
}

/** A journal with an entry in the place of the one for the same thing, or at its end. */
export function withMade(journal: Journal, made: Made): Journal {
  const index = journal.made.findIndex((other) => nameOf(other) === nameOf(made));
  return { ...journal, made: index < 0 ? [...journal.made, made] : journal.made.with(index, made) };
}

/** A journal without the entry for a thing. */
export function withoutMade(journal: Journal, made: Made): Journal {
  return { ...journal, made: journal.made.filter((other) => nameOf(other) !== nameOf(made)) };
}

/** Whether a journal owes a command. */
export function isOwed({ owed }: Journal, command: OwedCommand): boolean {
  return owed.some((other) => isSameCommand(other, command));
}

/** Whether a journal has a command, and how it is undone. */
export function isNoted({ made }: Journal, command: OwedCommand): boolean {
  return made.some((entry) => entry.kind === "command" && isSameCommand(entry, command));
}

/** A journal that owes a command, once. */
export function withOwed(journal: Journal, { part, argv }: OwedCommand): Journal {
  return isOwed(journal, { part, argv }) ? journal : { ...journal, owed: [...journal.owed, { part, argv }] };
}

/** A journal that no longer owes a command. */
export function withoutOwed(journal: Journal, command: OwedCommand): Journal {
  return { ...journal, owed: journal.owed.filter((other) => !isSameCommand(other, command)) };
}

function isSameCommand(a: OwedCommand, b: OwedCommand): boolean {
  return a.part === b.part && JSON.stringify(a.argv) === JSON.stringify(b.argv);
}
