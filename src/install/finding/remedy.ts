import type { Part } from "../engine/part.ts";

/** The command that makes one part of an installation as it should be, with these flags. */
export function install(part: Part, flags = ""): string {
  return `wasp install --only ${part}${flags === "" ? "" : ` ${flags}`}`;
}

/** The command that puts swap on a disk of its own, of which nothing can be read once the node is off. */
export const INSTALL_ENCRYPTED = install("swap", "--swap-device DEVICE --encrypt");
