import { formatRounded } from "../../bytes.ts";
import type { SwapFacts } from "./facts.ts";

const LEAST_SPARE_BYTES = 256 * 1024 ** 2;

/**
 * Why wasp's swap cannot be turned off: what is in it has to fit into memory, of which a twentieth, and 256 MiB, have to
 * stay available. The script judges alike at the moment when it does it.
 */
export function removalRefusals({ active, memory }: Pick<SwapFacts, "active" | "memory">): readonly string[] {
  if (active === undefined || memory === undefined) return [];
  const spareBytes = Math.max(LEAST_SPARE_BYTES, memory.totalBytes / 20);
  if (active.usedBytes + spareBytes <= memory.availableBytes) return [];
  const [used, available, spare] = [active.usedBytes, memory.availableBytes, spareBytes].map(formatRounded);
  return [
    `the swap on ${active.name} cannot be turned off: ${used} are swapped out and ${available} of memory are available, of which ${spare} have to stay; move pods away first (kubectl drain)`,
  ];
}
