import { formatRounded } from "../../policy/kubernetes/quantity.ts";
import type { SwapFacts } from "./facts.ts";

/** A cgroup with memory in swap. */
export interface SwappedCgroup {
  /** Name for the administrator: container and pod, or the path. */
  readonly name: string;
  /** Its memory in any swap area. */
  readonly swapBytes: number;
  /** Its resident memory that can be swapped out but not dropped. */
  readonly residentBytes: number;
  /** Lowest of its memory limits; Infinity for none. */
  readonly limitBytes: number;
  /** File of this limit. */
  readonly limitFile: "memory.max" | "memory.high";
}

const MIN_SPARE_BYTES = 256 * 1024 ** 2;

/**
 * Reasons for not turning wasp's swap off. Its content has to fit into memory, of which a twentieth and at least 256 MiB
 * have to stay available; the script checks this again before swapoff. The content of a cgroup has to fit below the
 * cgroup's own limit, less a twentieth: swapoff charges its pages to the cgroup whatever the limit, and an OOM kill in the
 * cgroup may follow (mm/memcontrol.c, mem_cgroup_swapin_charge_folio).
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
  const spareBytes = Math.max(MIN_SPARE_BYTES, totalBytes / 20);
  if (usedBytes + spareBytes <= availableBytes) return [];
  const [used, available, spare] = [usedBytes, availableBytes, spareBytes].map(formatRounded);
  return [
    `${used} are swapped out and ${available} of memory are available, of which ${spare} have to stay available`,
  ];
}

function cgroupComplaints(usedBytes: number, cgroups: readonly SwappedCgroup[]): readonly string[] {
  const tight = cgroups.flatMap(({ name, swapBytes, residentBytes, limitBytes, limitFile }) => {
    const needBytes = residentBytes + Math.min(swapBytes, usedBytes);
    if (needBytes <= limitBytes - limitBytes / 20) return [];
    return `${name} would have ${formatRounded(needBytes)} with a ${limitFile} of ${formatRounded(limitBytes)}`;
  });
  if (tight.length === 0) return [];
  return [`what is swapped out would not fit below memory limits: ${tight.join(", ")}`];
}
