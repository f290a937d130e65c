import { readdirSync } from "node:fs";
import { unlessGone } from "../../file.ts";

/** The paths of all files below a folder as Go's filepath.Walk comes by them: by name, a folder's own files in its place. */
export function walk(folder: string): string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? walk(path) : path;
    });
}
