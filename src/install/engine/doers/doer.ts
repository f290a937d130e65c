import type { Host } from "../../target/host.ts";
import type { StepState } from "../compare.ts";
import type { FolderEntry, JournalEntry } from "../journal.ts";
import type { Step } from "../step.ts";
import type { Undo } from "../undo-order.ts";

/** Performs one kind of step. Every method can be repeated after an interrupted run. */
export interface Doer<S extends Step, M extends JournalEntry> {
  /** Returns the state of the step's path, without changing anything. */
  look(step: S, host: Host): StepState;
  /**
   * Returns the journal entry that undoes the step, whether the step is completed or not. `earlier` is the existing entry
   * with the same identity. Keeps a copy of a file that is replaced; changes nothing else.
   */
  prepare(step: S, host: Host, earlier: M | undefined): M;
  /** Performs the step; the parent folders of its path exist. */
  perform(step: S, host: Host): void;
}

/** Undoes one kind of journal entry. */
export interface Undoer<M extends JournalEntry> {
  /** Returns how the entry would be undone, without changing anything. */
  assess(entry: M, host: Host): Omit<Undo, "entry">;
  /** Removes or restores the path, as assessed. */
  undo(entry: M, host: Host, action: "remove" | "restore"): void;
}

/** A journal entry that an undoer handles; the engine itself undoes commands and folders. */
export type PathEntry = Exclude<JournalEntry, FolderEntry | { readonly kind: "command" }>;
