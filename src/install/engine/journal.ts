import type { Part } from "./part.ts";
import type { UndoCommand } from "./step.ts";

interface WithPart {
  readonly part: Part;
}

/** Original file that wasp replaced; its copy is kept until the replacement is undone. */
export interface FileBefore {
  /** SHA-256 of its content, in hexadecimal digits: the file name of the copy. */
  readonly digest: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file that wasp wrote: a text, or its own executable. */
export interface FileEntry extends WithPart {
  readonly kind: "file";
  readonly path: string;
  /**
   * SHA-256 of what wasp wrote, in hexadecimal digits. There are several while a file is being replaced, so that after an
   * interrupted run either content is recognized as wasp's own.
   */
  readonly digests: readonly string[];
  readonly before?: FileBefore;
}

/** A line that wasp added to a file that it does not own. */
export interface LineEntry extends WithPart {
  readonly kind: "line";
  readonly path: string;
  readonly line: string;
  /** True if wasp created the file, which is then removed once it is empty. */
  readonly madeFile: boolean;
  /** True if wasp added the missing line end of the preceding line. */
  readonly endedLine: boolean;
}

/** A symbolic link. */
export interface LinkEntry extends WithPart {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

/** A parent folder that wasp created; removed once it is empty. */
export interface FolderEntry extends WithPart {
  readonly kind: "folder";
  readonly path: string;
}

/** A command that was run, or was about to be, and has an undo command. */
export interface CommandEntry extends WithPart {
  readonly kind: "command";
  readonly argv: readonly string[];
  readonly undo: UndoCommand;
}

/** A journal entry: one change of a host, with the data that its undo needs. */
export type JournalEntry = FileEntry | LineEntry | LinkEntry | FolderEntry | CommandEntry;

/** A journal entry of one kind. */
export type EntryOf<Kind extends JournalEntry["kind"]> = Extract<JournalEntry, { readonly kind: Kind }>;

/** A command that is still due because of an earlier change. */
export interface OwedCommand extends WithPart {
  readonly argv: readonly string[];
}

/** Record of the changes that wasp made to a host. */
export interface Journal {
  readonly version: 1;
  /** In the order of the changes. An entry precedes its change, so the change may be missing. */
  readonly made: readonly JournalEntry[];
  readonly owed: readonly OwedCommand[];
}

/** Journal of a host that wasp has not changed. */
export const EMPTY_JOURNAL: Journal = { version: 1, made: [], owed: [] };

/** Returns the entry of a completed change: of a file's digests only the final one is left. */
export function withFinalDigest(entry: JournalEntry): JournalEntry {
  return entry.kind === "file" ? { ...entry, digests: entry.digests.slice(-1) } : entry;
}

/** Returns the journal's entry for the same path or command. */
export function findEntry<Kind extends JournalEntry["kind"]>(
  journal: Journal,
  entry: EntryOf<Kind>,
): EntryOf<Kind> | undefined {
  return journal.made.find((other) => identityOf(other) === identityOf(entry)) as EntryOf<Kind> | undefined;
}

/** Returns the identity of an entry: a repeated change has the same one. */
function identityOf(entry: JournalEntry): string {
  return entry.kind === "command"
    ? `command ${JSON.stringify(entry.argv)} of ${entry.part}`
    : `${entry.kind} ${entry.path}${entry.kind === "line" ? ` ${entry.line}` : ""}`;
}

/** Returns a journal with an entry, in the place of the one with the same identity or at the end. */
export function withEntry(journal: Journal, entry: JournalEntry): Journal {
  const index = journal.made.findIndex((other) => identityOf(other) === identityOf(entry));
  return { ...journal, made: index < 0 ? [...journal.made, entry] : journal.made.with(index, entry) };
}

/** Returns a journal without an entry. */
export function withoutEntry(journal: Journal, entry: JournalEntry): Journal {
  return { ...journal, made: journal.made.filter((other) => identityOf(other) !== identityOf(entry)) };
}

/** Returns true if a journal owes a command. */
export function isOwed({ owed }: Journal, command: OwedCommand): boolean {
  return owed.some((other) => isSameCommand(other, command));
}

/** Returns true if a journal has an entry for a command. */
export function isRecorded({ made }: Journal, command: OwedCommand): boolean {
  return made.some((entry) => entry.kind === "command" && isSameCommand(entry, command));
}

/** Returns a journal that owes a command, once. */
export function withOwed(journal: Journal, { part, argv }: OwedCommand): Journal {
  return isOwed(journal, { part, argv }) ? journal : { ...journal, owed: [...journal.owed, { part, argv }] };
}

/** Returns a journal that no longer owes a command. */
export function withoutOwed(journal: Journal, command: OwedCommand): Journal {
  return { ...journal, owed: journal.owed.filter((other) => !isSameCommand(other, command)) };
}

function isSameCommand(a: OwedCommand, b: OwedCommand): boolean {
  return a.part === b.part && JSON.stringify(a.argv) === JSON.stringify(b.argv);
}
