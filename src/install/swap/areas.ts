import { unescapeOctal } from "../target/octal-escapes.ts";

/** A swap area that is on. */
export interface SwapArea {
  /** The path that /proc/swaps gives it. */
  readonly name: string;
  readonly medium: "file" | "device" | "zram";
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly priority: number;
}

/** The block devices that something is on, from itself down to the disks. */
export interface BlockStack {
  /** The names of the disks, such as vda; empty for what is in memory alone. */
  readonly disks: readonly string[];
  /** Of all devices on the way down, as major:minor. */
  readonly numbers: readonly string[];
  /** Whether nothing reaches a disk unencrypted by dm-crypt. */
  readonly isEncrypted: boolean;
}

/** Reads the text of /proc/swaps; throws an error that has the line that is of another form. */
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
