import type { Host } from "../../target/host.ts";
import type { Found } from "../compare.ts";
import { earlierMade, type Journal, type MadeOf } from "../journal.ts";
import type { CommandStep, Step, StepOf } from "../step.ts";
import type { Undo } from "../undo-order.ts";
import type { Doer, MadeByHands, Undoer } from "./doer.ts";
import { fileDoer, fileUndoer, programDoer } from "./file.ts";
import { lineDoer, lineUndoer } from "./line.ts";
import { linkDoer, linkUndoer } from "./link.ts";

/** A step that hands take; the engine runs commands itself. */
export type StepByHands = Exclude<Step, CommandStep>;

/** What is made by a kind of step: of either kind of file, a file. */
type MadeBy<Kind extends StepByHands["kind"]> = MadeOf<Kind extends "program" ? "file" : Kind>;

const DOERS: { readonly [Kind in StepByHands["kind"]]: Doer<StepOf<Kind>, MadeBy<Kind>> } = {
  file: fileDoer,
  program: programDoer,
  line: lineDoer,
  link: linkDoer,
};

const UNDOERS: { readonly [Kind in MadeByHands["kind"]]: Undoer<MadeOf<Kind>> } = {
  file: fileUndoer,
  line: lineUndoer,
  link: linkUndoer,
};

/** Looks at what is in a step's place. */
export function look(step: StepByHands, host: Host): Found {
  return doerOf(step).look(step, host);
}

/** What the journal is to have before a step is taken. */
export function prepare(step: StepByHands, host: Host, journal: Journal): MadeByHands {
  const doer = doerOf(step);
  // Which entry is for the same thing is known by one that has no past.
  const name = { ...step, kind: step.kind === "program" ? "file" : step.kind } as MadeByHands;
  return doer.prepare(step, host, earlierMade(journal, name));
}

/** Takes a step. */
export function take(step: StepByHands, host: Host): void {
  doerOf(step).take(step, host);
}

/** Tells what is to become of a thing that was made. */
export function judge(made: MadeByHands, host: Host): Undo {
  return { made, ...undoerOf(made).judge(made, host) };
}

/** Removes or restores a thing that was made. */
export function undo(made: MadeByHands, host: Host, action: "remove" | "restore"): void {
  undoerOf(made).undo(made, host, action);
}

// The doer of a step's own kind takes it: the tables say so, but the compiler does not follow a kind through them.
function doerOf<S extends StepByHands>({ kind }: S): Doer<S, MadeByHands> {
  return DOERS[kind] as unknown as Doer<S, MadeByHands>;
}

function undoerOf<M extends MadeByHands>({ kind }: M): Undoer<M> {
  return UNDOERS[kind] as unknown as Undoer<M>;
}
