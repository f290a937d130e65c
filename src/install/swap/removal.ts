import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { SwapFacts } from "./facts.ts";

/** A cgroup of which something is swapped out. */
export interface SwappedCgroup {
  /** What it is to people: a container and its pod, or its path. */
  readonly name: string;
  /** What is swapped out of it, wherever to. */
  readonly swapBytes: number;
  /** What of it is in memory and can only be swapped out, not dropped. */
  readonly residentBytes: number;
  /** The lowest of its limits of memory; Infinity for none. */
  readonly limitBytes: number;
  /** The file that has this limit. */
  readonly limitFile: "memory.max" | "memory.high";
}

const LEAST_SPARE_BYTES = 256 * 1024 ** 2;

/**
 * Why wasp's swap cannot be turned off: what is in it has to fit into memory, of which a twentieth, and 256 MiB, have to
 * stay available. The script judges alike at the moment when it does it. And what is in it of a cgroup has to fit below
 * the cgroup's own limit, less a twentieth: the kernel brings it back whatever the limit, and kills in the cgroup when
 * it comes to it (mm/memcontrol.c, mem_cgroup_swapin_charge_folio).
 */
export function removalRefusals(
  { active, memory }: Pick<SwapFacts, "active" | "memory">,
  cgroups: readonly SwappedCgroup[],
): readonly string[] {
  if (active === undefined || memory === undefined) return [];
  const cannot = `the swap on ${active.name} cannot be turned off`;
  return [...nodeComplaints(active.usedBytes, memory), ...cgroupComplaints(active.usedBytes, cgroups)].map(
    (complaint) => `${cannot}: ${complaint}; move pods away first (kubectl drain)`,
  );
}

function nodeComplaints(
  usedBytes: number,
  { totalBytes, availableBytes }: NonNullable<SwapFacts["memory"]>,
): readonly string[] {
  const spareBytes = Math.max(LEAST_SPARE_BYTES, totalBytes / 20);
  if (usedBytes + spareBytes <= availableBytes) return [];
  const [used, available, spare] = [usedBytes, availableBytes, spareBytes].map(formatRounded);
  return [`${used} are swapped out and ${available} of memory are available, of which ${spare} have to stay`];
}

function cgroupComplaints(usedBytes: number, cgroups: readonly SwappedCgroup[]): readonly string[] {
  const tight = cgroups.flatMap(({ name, swapBytes, residentBytes, limitBytes, limitFile }) => {
    const needBytes = residentBytes + Math.min(swapBytes, usedBytes);
    if (needBytes <= limitBytes - limitBytes / 20) return [];
    return `${name} would have ${formatRounded(needBytes)} with a ${limitFile} of ${formatRounded(limitBytes)}`;
  });
  if (tight.length === 0) return [];
  return [`what is swapped out would not fit below limits of memory: ${tight.join(", ")}`];
}
