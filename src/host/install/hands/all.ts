import type { Found } from "../../../policy/install/change.ts";
import { earlierMade, type Journal } from "../../../policy/install/made.ts";
import type { Step } from "../../../policy/install/step.ts";
import type { Undo } from "../../../policy/install/undo.ts";
import type { Host } from "../host.ts";
import { fileDoer, fileUndoer, programDoer } from "./file.ts";
import type { Doer, MadeByHands, Undoer } from "./hands.ts";
import { lineDoer, lineUndoer } from "./line.ts";
import { linkDoer, linkUndoer } from "./link.ts";

/** A step that hands take; the engine runs commands itself. */
export type StepByHands = Exclude<Step, { readonly kind: "command" }>;

const DOERS = { file: fileDoer, program: programDoer, line: lineDoer, link: linkDoer };
const UNDOERS = { file: fileUndoer, line: lineUndoer, link: linkUndoer };

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

// A step's own doer takes it, which the compiler cannot see through the table; that none is missing it does.
function doerOf<S extends StepByHands>({ kind }: S): Doer<S, MadeByHands> {
  const doers: { readonly [K in StepByHands["kind"]]: unknown } = DOERS;
  return doers[kind] as Doer<S, MadeByHands>;
}

function undoerOf<M extends MadeByHands>({ kind }: M): Undoer<M> {
  const undoers: { readonly [K in MadeByHands["kind"]]: unknown } = UNDOERS;
  return undoers[kind] as Undoer<M>;
}
