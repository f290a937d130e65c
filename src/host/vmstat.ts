import { readFile } from "./file.ts";

/** What has gone between memory and swap since the node's start, in bytes. */
export interface SwapTraffic {
  readonly swapInBytes: number;
  readonly swapOutBytes: number;
}

/**
 * Reads how much has been swapped from `proc/vmstat` below fsroot, which counts in pages; throws a SystemError. A
 * kernel without swap support counts nothing.
 */
export function readSwapTraffic(fsroot: string, pageBytes: number): SwapTraffic {
  const vmstat = readFile(`${fsroot}/proc/vmstat`);
  const bytesOf = (counter: string) =>
    Number(new RegExp(`^${counter} (\\d+)$`, "m").exec(vmstat)?.[1] ?? 0) * pageBytes;
  return { swapInBytes: bytesOf("pswpin"), swapOutBytes: bytesOf("pswpout") };
}
