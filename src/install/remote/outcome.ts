import type { Arch } from "./executables.ts";
import type { OutputLine } from "./transcript.ts";

/** Current activity on a host. */
export type Activity =
  | { readonly is: "connecting" }
  | { readonly is: "copying"; readonly sentBytes: number; readonly totalBytes: number }
  | { readonly is: "running" };

/** Outcome of a run on a host. */
export interface HostOutcome {
  /** Destination as given on the command line or in the file. */
  readonly host: string;
  /** `stopped` and `not-begun` are outcomes of a run that was aborted. */
  readonly result: "done" | "failed" | "stopped" | "not-begun";
  /** Reason for a result other than `done`. */
  readonly reason?: string;
  /** Undefined if the session ended before the host reported it. */
  readonly arch?: Arch;
  /** Exit status of wasp on the host; undefined if wasp was not run to its end. */
  readonly exitStatus?: number;
  readonly seconds: number;
  /** Output of wasp on the host; if wasp was not run, output of ssh and the login shell. */
  readonly output: readonly OutputLine[];
}
