/** A part of a pod's memory whose pages are all used alike. */
export interface Region {
  /** `shared` is tmpfs: it is swapped like anonymous memory, and stays with the pod when its container ends. */
  readonly kind: "anonymous" | "file" | "shared";
  /** How often a second each page is used by a pod that never waits; changes as the workload does. */
  usesPerSecond: number;
  /** Pages in memory. */
  residentPages: number;
  /** Pages that were used and are not in memory: in swap, or to be read from their file again. */
  awayPages: number;
}

/** What the kernel counts for a cgroup, since it was made. */
export interface Counters {
  anonRefaultPages: number;
  fileRefaultPages: number;
  highEvents: number;
  maxEvents: number;
  stallSomeMicroseconds: number;
  stallFullMicroseconds: number;
}

/** Returns counters that have counted nothing. */
export function newCounters(): Counters {
  return {
    anonRefaultPages: 0,
    fileRefaultPages: 0,
    highEvents: 0,
    maxEvents: 0,
    stallSomeMicroseconds: 0,
    stallFullMicroseconds: 0,
  };
}

/** Where the pages of a region that is not in memory wait. */
export function isSwapped({ kind }: Region): boolean {
  return kind !== "file";
}

/** Sums a figure over regions. */
export function sumOf(regions: readonly Region[], figure: (region: Region) => number): number {
  let sum = 0;
  for (const region of regions) sum += figure(region);
  return sum;
}
