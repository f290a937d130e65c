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
  stallSomeMicroseconds: number;
  stallFullMicroseconds: number;
}

/** Returns counters at zero. */
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
