import { CGROUP_LAYOUTS } from "./cgroup-layout.ts";
import type { ContainerCgroup } from "./container-cgroup.ts";
import { readFile, readRecord, writeExistingFile } from "./file.ts";

/** Result of a write of a swap limit; limits are bytes of swap, Infinity for none. */
export interface SwapLimitResult {
  /** Effective limit before the write. */
  readonly beforeBytes: number;
  /** Effective limit after the write: the lowest of the container's levels and all its ancestors. */
  readonly effectiveBytes: number;
  /** Number of files written. */
  readonly writes: number;
}

// A v1 limit that was never set reads as LONG_MAX, rounded down to a page.
const V1_UNLIMITED_BYTES = 2 ** 60;

/** Swap limit of one container, at all its levels; limits are bytes of swap, Infinity for none. */
export class SwapLimit {
  readonly #cgroup: ContainerCgroup;
  readonly #sharedLimits: Map<string, number> | undefined;
  readonly #file: string;
  /** Spelling of no limit in a write. */
  readonly #unlimited: string;
  /** Memory that the value of a limit file includes: on cgroup v1 the container's memory limit. */
  readonly #memoryBytes: number;

  /**
   * Throws an Error that names the file if the container's memory limit cannot be read. sharedLimits caches the limits
   * of ancestors, by file and in bytes: a reader of many containers reads each once.
   */
  constructor(cgroup: ContainerCgroup, sharedLimits?: Map<string, number>) {
    this.#cgroup = cgroup;
    this.#sharedLimits = sharedLimits;
    const { swapLimitFile, unlimited, includedLimitFile } = CGROUP_LAYOUTS[cgroup.version];
    this.#file = swapLimitFile;
    this.#unlimited = unlimited;
    this.#memoryBytes = includedLimitFile === undefined ? 0 : this.#lowest(cgroup.own, includedLimitFile);
  }

  /**
   * True if swap can be limited: cgroup v1 limits it only together with memory, so a container needs a memory limit
   * there, as for the kubelet (kuberuntime_container_linux.go:492-501).
   */
  get isPossible(): boolean {
    return this.#memoryBytes !== Number.POSITIVE_INFINITY;
  }

  /** Reads the effective limit; throws an Error that names the file, as on a kernel without swap accounting. */
  read(): number {
    return this.#effective(this.#lowestAbove());
  }

  /**
   * Returns true if each of the container's own levels has this limit; throws an Error that names the unreadable file.
   */
  isSet(limitBytes: number): boolean {
    const wantedBytes = limitBytes + this.#memoryBytes;
    return this.#cgroup.own.every((directory) => readLimit(`${directory}/${this.#file}`) === wantedBytes);
  }

  /**
   * Writes the limit to each of the container's own levels that differ, unless it is already in effect, and reads the
   * effective limit back. The process's own level is written first: a failure of a later write leaves the container
   * with less, never with more. Throws an Error that names the file that cannot be read or written.
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

/** Reads a container's swap usage, in bytes; throws an Error that names the unreadable file. */
export function readSwapUsage({ version, own }: ContainerCgroup): number {
  const { swapUsageFile, swapUsage } = CGROUP_LAYOUTS[version];
  const file = `${own.at(-1)}/${swapUsageFile}`;
  const [, bytes] = swapUsage.exec(readFile(file)) ?? [];
  if (bytes === undefined) throw new Error(`${file}: no swap usage in it`);
  return Number(bytes);
}

/** Reads a cgroup's limit in bytes, Infinity for none; throws an Error that names a file with neither. */
export function readLimit(file: string): number {
  const text = readRecord(file).trim();
  const limitBytes = text === "max" ? Number.POSITIVE_INFINITY : Number(text);
  if (text === "" || Number.isNaN(limitBytes)) throw new Error(`${file} holds neither bytes nor max`);
  return limitBytes >= V1_UNLIMITED_BYTES ? Number.POSITIVE_INFINITY : limitBytes;
}
