import type { Host } from "../../target/host.ts";
import type { Found } from "../compare.ts";
import type { Made, MadeFolder } from "../journal.ts";
import type { Step } from "../step.ts";
import type { Undo } from "../undo-order.ts";

/** What does a kind of step. Each of these can be done again after a run that was cut off in it. */
export interface Doer<S extends Step, M extends Made> {
  /** Looks at what is in the step's place, and changes nothing. */
  look(step: S, host: Host): Found;
  /**
   * What the journal is to have before the step is taken: all that it takes to undo it, done or not. `earlier` is what it
   * has for the same thing. Keeps a copy of what is replaced; changes nothing else.
   */
  prepare(step: S, host: Host, earlier: M | undefined): M;
  /** Takes the step; the folders of its path are there. */
  take(step: S, host: Host): void;
}

/** What undoes a kind of thing that was made. */
export interface Undoer<M extends Made> {
  /**
   * Tells what is to become of it, and changes nothing. One that cannot be undone now ("refuse": swap in use that memory has
   * no room for) keeps everything from being undone.
   */
  judge(made: M, host: Host): Omit<Undo, "made">;
  /** Removes or restores it, as judged. */
  undo(made: M, host: Host, action: "remove" | "restore"): void;
}

/** What the engine undoes itself: commands, and folders. */
export type MadeByHands = Exclude<Made, MadeFolder | { readonly kind: "command" }>;
