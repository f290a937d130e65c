import type { Part } from "../../part.ts";

/** The command that makes one part of an installation as it should be, with these flags. */
export function install(part: Part, flags = ""): string {
  return `wasp install --only ${part}${flags === "" ? "" : ` ${flags}`}`;
}
