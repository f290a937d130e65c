import { readdirSync } from "node:fs";
import { unlessGone } from "./file.ts";

/** Returns the names in a directory, sorted; empty if the directory is missing. */
export function namesIn(directory: string): string[] {
  return unlessGone(() => readdirSync(directory).sort()) ?? [];
}
