import type { Part } from "../engine/part.ts";

/** Returns the command that installs one part, with these flags. */
export function install(part: Part, flags = ""): string {
  return `wasp install --only ${part}${flags === "" ? "" : ` ${flags}`}`;
}

/** Command that sets up encrypted swap on a separate disk, which is unreadable once the node is off. */
export const INSTALL_ENCRYPTED = install("swap", "--swap-device DEVICE --encrypt");
