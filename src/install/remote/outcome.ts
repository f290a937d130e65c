import type { Arch } from "./executables.ts";
import type { OutputLine } from "./transcript.ts";

/** What is being done on a host. */
export type Activity =
  | { readonly is: "connecting" }
  | { readonly is: "copying"; readonly sentBytes: number; readonly totalBytes: number }
  | { readonly is: "running" };

/** How it ended on a host. */
export interface HostOutcome {
  /** As it was named. */
  readonly host: string;
  /** `stopped` and `not-begun` where somebody ended it all. */
  readonly result: "done" | "failed" | "stopped" | "not-begun";
  /** Why it is not done. */
  readonly reason?: string;
  /** Undefined where the host did not tell. */
  readonly arch?: Arch;
  /** Of wasp on the host; undefined where it was not run to its end. */
  readonly exitStatus?: number;
  readonly seconds: number;
  /** What wasp wrote on the host, or where it did not come to that, ssh and whatever else. */
  readonly output: readonly OutputLine[];
}
