/** Part of a pod's memory with pages of equal use. */
export interface Region {
  /** `shared` is tmpfs: it is swapped like anonymous memory, and outlives the container. */
  readonly kind: "anonymous" | "file" | "shared";
  /** Uses of each page a second by a pod that never waits. */
  usesPerSecond: number;
  /** Pages in memory. */
  residentPages: number;
  /** Pages in swap, or to be read from their file again. */
  awayPages: number;
}

/** Counters of a cgroup since its creation. */
export interface Counters {
  anonRefaultPages: number;
  fileRefaultPages: number;
  highEvents: number;
  maxEvents: number;
  oomEvents: number;
}

/** Returns counters at zero. */
export function newCounters(): Counters {
  return { anonRefaultPages: 0, fileRefaultPages: 0, highEvents: 0, maxEvents: 0, oomEvents: 0 };
}

/** Returns the sums of two cgroups' counters. */
export function addedCounters(a: Counters, b: Counters): Counters {
  return {
    anonRefaultPages: a.anonRefaultPages + b.anonRefaultPages,
    fileRefaultPages: a.fileRefaultPages + b.fileRefaultPages,
    highEvents: a.highEvents + b.highEvents,
    maxEvents: a.maxEvents + b.maxEvents,
    oomEvents: a.oomEvents + b.oomEvents,
  };
}

/** Returns true if pages of a region that leave memory go to swap. */
export function isSwapped({ kind }: Region): boolean {
  return kind !== "file";
}

/** Sums a figure over regions. */
export function sumOf(regions: readonly Region[], figure: (region: Region) => number): number {
  let sum = 0;
  for (const region of regions) sum += figure(region);
  return sum;
}
