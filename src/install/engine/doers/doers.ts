import type { Host } from "../../target/host.ts";
import { type EntryOf, findEntry, type Journal } from "../journal.ts";
import type { CommandStep, Step, StepOf } from "../step.ts";
import type { Doer, PathEntry, Undoer } from "./doer.ts";
import { fileDoer, fileUndoer, programDoer } from "./file.ts";
import { lineDoer, lineUndoer } from "./line.ts";
import { linkDoer, linkUndoer } from "./link.ts";

/** A step that a doer performs; the engine itself runs commands. */
export type PathStep = Exclude<Step, CommandStep>;

/** Journal entry of a kind of step: a program is recorded as a file. */
type EntryOfStep<Kind extends PathStep["kind"]> = EntryOf<Kind extends "program" ? "file" : Kind>;

const DOERS: { readonly [Kind in PathStep["kind"]]: Doer<StepOf<Kind>, EntryOfStep<Kind>> } = {
  file: fileDoer,
  program: programDoer,
  line: lineDoer,
  link: linkDoer,
};

const UNDOERS: { readonly [Kind in PathEntry["kind"]]: Undoer<EntryOf<Kind>> } = {
  file: fileUndoer,
  line: lineUndoer,
  link: linkUndoer,
};

/** Returns the journal entry to write before a step is performed. */
export function prepare(step: PathStep, host: Host, journal: Journal): PathEntry {
  // The identity of an entry needs nothing but the fields of the step.
  const identity = { ...step, kind: step.kind === "program" ? "file" : step.kind } as PathEntry;
  return doerOf(step).prepare(step, host, findEntry(journal, identity));
}

/** Returns the doer of a step. */
export function doerOf<S extends PathStep>({ kind }: S): Doer<S, PathEntry> {
  // The tables map each kind to its own doer; the compiler cannot infer that from the index.
  return DOERS[kind] as unknown as Doer<S, PathEntry>;
}

/** Returns the undoer of a journal entry. */
export function undoerOf<M extends PathEntry>({ kind }: M): Undoer<M> {
  return UNDOERS[kind] as unknown as Undoer<M>;
}
