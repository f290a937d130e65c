import type { SwapArea } from "../../../policy/install/swap/facts.ts";
import { readFileIfThere } from "../../file.ts";
import type { Host } from "../host.ts";

const BYTES_PER_KIBIBYTE = 1024;

/** Reads what the kernel of a running host swaps to; a kernel without swap has nothing to tell, and swaps to nothing. */
export function readSwapAreas({ fsroot }: Host): readonly SwapArea[] {
  const lines = readFileIfThere(`${fsroot}/proc/swaps`)?.trim().split("\n").slice(1) ?? [];
  return lines.map(parseArea);
}

function parseArea(line: string): SwapArea {
  const [path = "", kind, size, used, priority] = line.split(/\s+/);
  return {
    path: unescapePath(path),
    kind: kind === "file" ? "file" : "partition",
    bytes: Number(size) * BYTES_PER_KIBIBYTE,
    usedBytes: Number(used) * BYTES_PER_KIBIBYTE,
    priority: Number(priority),
  };
}

/** The kernel spells white space and backslashes in a path as three octal digits. */
function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
