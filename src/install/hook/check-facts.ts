import type { HookFile } from "./files.ts";

/** Facts about OCI hooks for the rules. */
export interface HookCheckFacts {
  /** The folders from which CRI-O loads hooks, in rising precedence. */
  readonly hookFolders: readonly string[];
  /** All hooks in those folders and in the usual folders for hooks. */
  readonly hookFiles: readonly HookFile[];
}
