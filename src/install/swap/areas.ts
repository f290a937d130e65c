import { unescapeOctal } from "../target/octal-escapes.ts";

/** An active swap area. */
export interface SwapArea {
  /** Path in /proc/swaps. */
  readonly name: string;
  readonly medium: "file" | "device" | "zram";
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly priority: number;
}

/** Stack of block devices below a file or a device, down to the disks. */
export interface BlockStack {
  /** Names of the disks, such as vda; empty for a device in memory. */
  readonly disks: readonly string[];
  /** Numbers of all devices of the stack, as major:minor. */
  readonly numbers: readonly string[];
  /** True if dm-crypt encrypts everything that reaches a disk. */
  readonly isEncrypted: boolean;
}

/** Parses the text of /proc/swaps; throws an error that quotes an invalid line. */
export function parseSwaps(text: string): SwapArea[] {
  const [, ...lines] = text.split("\n");
  return lines.filter((line) => line.trim() !== "").map(parseArea);
}

const BYTES_PER_KIBIBYTE = 1024;

function parseArea(line: string): SwapArea {
  const [name = "", type, size, used, priority] = line.split(/\s+/);
  const sizeBytes = Number(size) * BYTES_PER_KIBIBYTE;
  const usedBytes = Number(used) * BYTES_PER_KIBIBYTE;
  const rank = Number(priority);
  if (!(name.startsWith("/") && sizeBytes >= 0 && usedBytes >= 0 && Number.isInteger(rank)))
    throw new Error(`/proc/swaps: ${JSON.stringify(line)} is not a file name, type, size, used and priority`);
  const isZram = /^\/dev\/zram\d+$/.test(name);
  const medium = isZram ? "zram" : type === "file" ? "file" : "device";
  return { name: unescapeOctal(name), medium, sizeBytes, usedBytes, priority: rank };
}
