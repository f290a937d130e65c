import { readdirSync } from "node:fs";
import { unlessGone } from "./file.ts";

/** Returns the names in a directory, sorted; none where it is not there. */
export function namesIn(directory: string): string[] {
  return unlessGone(() => readdirSync(directory).sort()) ?? [];
}
