import type { ContainerCgroup } from "./container-cgroup.ts";
import { readFile, readFileIfThere, writeExistingFile } from "./file.ts";

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
  readonly #ownFiles: readonly string[];
  readonly #ancestorFiles: readonly string[];
  /** How the kernel wants "no limit" written. */
  readonly #unlimited: string;
  /** What a limit file's figure holds besides swap: on cgroup v1 the container's memory limit. */
  readonly #memoryBytes: number;

  /** Throws an error that names the file when the container's memory limit cannot be read. */
  constructor(cgroup: ContainerCgroup) {
    const name = cgroup.version === 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
    this.#ownFiles = cgroup.own.map((directory) => `${directory}/${name}`);
    this.#ancestorFiles = cgroup.ancestors.map((directory) => `${directory}/${name}`);
    this.#unlimited = cgroup.version === 2 ? "max" : "-1";
    const memoryLimits = cgroup.own.map((directory) => `${directory}/memory.limit_in_bytes`);
    this.#memoryBytes = cgroup.version === 2 ? 0 : Math.min(...memoryLimits.map(readLimit));
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
    return this.#effective(this.#ownFiles.map(readLimit), this.#lowestAbove());
  }

  /**
   * Writes the limit to each level of the container's own that differs, unless it is in force already, and reads back
   * what is in force. The process's own level goes first: were a later write to fail, less is granted, never more.
   * Throws an error that names the file when one cannot be read or written.
   */
  write(limitBytes: number): SwapLimitResult {
    const before = this.#ownFiles.map(readLimit);
    const aboveBytes = this.#lowestAbove();
    const beforeBytes = this.#effective(before, aboveBytes);
    if (beforeBytes === limitBytes) return { beforeBytes, effectiveBytes: beforeBytes, writes: 0 };

    const wantedBytes = limitBytes + this.#memoryBytes;
    const wanted = wantedBytes === Number.POSITIVE_INFINITY ? this.#unlimited : String(wantedBytes);
    const differing = this.#ownFiles.filter((_, level) => before[level] !== wantedBytes);
    for (const file of differing) writeExistingFile(file, wanted);
    const effectiveBytes = this.#effective(this.#ownFiles.map(readLimit), aboveBytes);
    return { beforeBytes, effectiveBytes, writes: differing.length };
  }

  #lowestAbove(): number {
    return Math.min(...this.#ancestorFiles.map(readLimitIfThere));
  }

  #effective(own: readonly number[], aboveBytes: number): number {
    const lowestBytes = Math.min(...own, aboveBytes);
    return lowestBytes === Number.POSITIVE_INFINITY
      ? lowestBytes
      : Math.max(0, lowestBytes - this.#memoryBytes);
  }
}

function readLimit(file: string): number {
  return parseLimitFile(file, readFile(file));
}

// The root of the hierarchy has no limit, nor has a level without the memory controller.
function readLimitIfThere(file: string): number {
  const text = readFileIfThere(file);
  return text === undefined ? Number.POSITIVE_INFINITY : parseLimitFile(file, text);
}

function parseLimitFile(file: string, text: string): number {
  const figure = text.trim();
  const limitBytes = figure === "max" ? Number.POSITIVE_INFINITY : Number(figure);
  if (figure === "" || Number.isNaN(limitBytes)) throw new Error(`${file} holds neither bytes nor max`);
  return limitBytes >= V1_UNLIMITED_BYTES ? Number.POSITIVE_INFINITY : limitBytes;
}
