import type { ContainerCgroup } from "./container-cgroup.ts";
import { readFile, writeExistingFile } from "./file.ts";

/** What became of a swap limit; limits are bytes of swap, Infinity for none. */
export interface SwapLimitResult {
  /** The effective limit before. */
  readonly beforeBytes: number;
  /** The effective limit now: the lowest of the container's levels and all its ancestors. */
  readonly effectiveBytes: number;
  /** How many files were written. */
  readonly writes: number;
}

// A v1 limit that was never set reads as LONG_MAX rounded down to a page.
const V1_UNLIMITED_BYTES = 2 ** 60;

/** The swap limit of one container, at all its levels; limits are bytes of swap, Infinity for none. */
export class SwapLimit {
  readonly #cgroup: ContainerCgroup;
  readonly #sharedLimits: Map<string, number> | undefined;
  readonly #file: string;
  /** How the kernel wants "no limit" written. */
  readonly #unlimited: string;
  /** What a limit file's figure holds besides swap: on cgroup v1 the container's memory limit. */
  readonly #memoryBytes: number;

  /**
   * Throws an error that names the file when the container's memory limit cannot be read. Limits of ancestors are taken
   * from sharedLimits, by file and in bytes, and added to it: whoever looks at many containers reads each once.
   */
  constructor(cgroup: ContainerCgroup, sharedLimits?: Map<string, number>) {
    this.#cgroup = cgroup;
    this.#sharedLimits = sharedLimits;
    this.#file = cgroup.version === 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    this.#unlimited = cgroup.version === 2 ? "max" : "-1";
    this.#memoryBytes = cgroup.version === 2 ? 0 : this.#lowest(cgroup.own, "memory.limit_in_bytes");
  }

  /**
   * Whether swap can be limited at all: cgroup v1 limits it only together with memory, so there a container needs a
   * memory limit, as the kubelet has it (kuberuntime_container_linux.go:492-501).
   */
  get isPossible(): boolean {
    return this.#memoryBytes !== Number.POSITIVE_INFINITY;
  }

  /** Reads the limit in force; throws an error that names the file, as without the kernel's swap controller. */
  read(): number {
    return this.#effective(this.#lowestAbove());
  }

  /** Whether each of the container's own levels holds this limit; throws an error that names the file it cannot read. */
  isSet(limitBytes: number): boolean {
    const wantedBytes = limitBytes + this.#memoryBytes;
    return this.#cgroup.own.every((directory) => readLimit(`${directory}/${this.#file}`) === wantedBytes);
  }

  /**
   * Writes the limit to each level of the container's own that differs, unless it is in force already, and reads back
   * what is in force. The process's own level goes first: were a later write to fail, less is granted, never more.
   * Throws an error that names the file when one cannot be read or written.
   */
  write(limitBytes: number): SwapLimitResult {
    const aboveBytes = this.#lowestAbove();
    const beforeBytes = this.#effective(aboveBytes);
    if (beforeBytes === limitBytes) return { beforeBytes, effectiveBytes: beforeBytes, writes: 0 };

    const wantedBytes = limitBytes + this.#memoryBytes;
    const wanted = wantedBytes === Number.POSITIVE_INFINITY ? this.#unlimited : String(wantedBytes);
    let writes = 0;
    for (const directory of this.#cgroup.own) {
      const file = `${directory}/${this.#file}`;
      if (readLimit(file) === wantedBytes) continue;
      writeExistingFile(file, wanted);
      writes += 1;
    }
    return { beforeBytes, effectiveBytes: this.#effective(aboveBytes), writes };
  }

  #effective(aboveBytes: number): number {
    const lowestBytes = Math.min(aboveBytes, this.#lowest(this.#cgroup.own, this.#file));
    return lowestBytes === Number.POSITIVE_INFINITY
      ? lowestBytes
      : Math.max(0, lowestBytes - this.#memoryBytes);
  }

  #lowestAbove(): number {
    let lowestBytes = Number.POSITIVE_INFINITY;
    for (const directory of this.#cgroup.ancestors) {
      const file = `${directory}/${this.#file}`;
      const bytes = this.#sharedLimits?.get(file) ?? readLimit(file);
      this.#sharedLimits?.set(file, bytes);
      lowestBytes = Math.min(lowestBytes, bytes);
    }
    return lowestBytes;
  }

  #lowest(directories: readonly string[], file: string): number {
    let lowestBytes = Number.POSITIVE_INFINITY;
    for (const directory of directories)
      lowestBytes = Math.min(lowestBytes, readLimit(`${directory}/${file}`));
    return lowestBytes;
  }
}

/** Reads how much a cgroup has swapped out, in bytes; throws an error that names the file that cannot be read. */
export function readSwapUsage({ version, own }: ContainerCgroup): number {
  const scope = own.at(-1);
  if (version === 2) return readBytes(`${scope}/memory.swap.current`);
  const file = `${scope}/memory.stat`;
  const [, bytes] = /^total_swap (\d+)$/m.exec(readFile(file)) ?? [];
  if (bytes === undefined) throw new Error(`${file}: no total_swap in it`);
  return Number(bytes);
}

function readBytes(file: string): number {
  const figure = readFile(file).trim();
  if (!/^\d+$/.test(figure)) throw new Error(`${file} holds no bytes`);
  return Number(figure);
}

/** Reads a cgroup's limit in bytes, Infinity for none; throws an error that names the file that holds neither. */
export function readLimit(file: string): number {
  const figure = readFile(file).trim();
  const limitBytes = figure === "max" ? Number.POSITIVE_INFINITY : Number(figure);
  if (figure === "" || Number.isNaN(limitBytes)) throw new Error(`${file} holds neither bytes nor max`);
  return limitBytes >= V1_UNLIMITED_BYTES ? Number.POSITIVE_INFINITY : limitBytes;
}
