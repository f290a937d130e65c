import { parseLimit } from "../policy/bytes.ts";
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

/** How a cgroup version spells a swap limit: the file, and what its figure holds besides swap. */
interface Spelling {
  readonly file: string;
  readonly unlimited: string;
  readonly memoryBytes: number;
}

// A v1 limit that was never set reads as LONG_MAX rounded down to a page.
const V1_UNLIMITED_BYTES = 2 ** 60;

/**
 * Tells whether a container's swap can be limited at all: cgroup v1 limits it only together with memory, so there a
 * container needs a memory limit, as the kubelet has it (kuberuntime_container_linux.go:492-501).
 */
export function canLimitSwap(cgroup: ContainerCgroup): boolean {
  return cgroup.version === 2 || memoryLimitOf(cgroup) !== Number.POSITIVE_INFINITY;
}

/** Reads a container's effective swap limit, in bytes, Infinity for none; throws without the kernel's controller. */
export function readSwapLimit(cgroup: ContainerCgroup): number {
  const spelling = spellingOf(cgroup);
  const own = cgroup.own.map((directory) => readLimit(`${directory}/${spelling.file}`));
  return effective(own, lowestAbove(cgroup, spelling), spelling);
}

/**
 * Writes a container's swap limit, in bytes, to each level of its own that differs, unless it is in force already,
 * and reads back what is in force. The process's own level goes first: were a later write to fail, less is granted, never more. Throws an error that
 * names the file when one cannot be read or written.
 */
export function writeSwapLimit(cgroup: ContainerCgroup, limitBytes: number): SwapLimitResult {
  const spelling = spellingOf(cgroup);
  const files = cgroup.own.map((directory) => `${directory}/${spelling.file}`);
  const aboveBytes = lowestAbove(cgroup, spelling);
  const before = files.map(readLimit);
  const beforeBytes = effective(before, aboveBytes, spelling);
  if (beforeBytes === limitBytes) return { beforeBytes, effectiveBytes: beforeBytes, writes: 0 };

  const wantedBytes = limitBytes + spelling.memoryBytes;
  let writes = 0;
  const now = files.map((file, level) => {
    if (before[level] === wantedBytes) return wantedBytes;
    writeExistingFile(
      file,
      wantedBytes === Number.POSITIVE_INFINITY ? spelling.unlimited : String(wantedBytes),
    );
    writes += 1;
    return readLimit(file);
  });
  return { beforeBytes, effectiveBytes: effective(now, aboveBytes, spelling), writes };
}

function effective(own: readonly number[], aboveBytes: number, spelling: Spelling): number {
  const lowestBytes = Math.min(...own, aboveBytes);
  return lowestBytes === Number.POSITIVE_INFINITY
    ? lowestBytes
    : Math.max(0, lowestBytes - spelling.memoryBytes);
}

function lowestAbove(cgroup: ContainerCgroup, spelling: Spelling): number {
  return Math.min(...cgroup.ancestors.map((directory) => readLimitIfThere(`${directory}/${spelling.file}`)));
}

function spellingOf(cgroup: ContainerCgroup): Spelling {
  return cgroup.version === 2
    ? { file: "memory.swap.max", unlimited: "max", memoryBytes: 0 }
    : { file: "memory.memsw.limit_in_bytes", unlimited: "-1", memoryBytes: memoryLimitOf(cgroup) };
}

function memoryLimitOf(cgroup: ContainerCgroup): number {
  return Math.min(...cgroup.own.map((directory) => readLimit(`${directory}/memory.limit_in_bytes`)));
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
  const limitBytes = Number(text) >= V1_UNLIMITED_BYTES ? Number.POSITIVE_INFINITY : parseLimit(text);
  if (limitBytes === undefined) throw new Error(`${file} holds neither bytes nor max`);
  return limitBytes;
}
