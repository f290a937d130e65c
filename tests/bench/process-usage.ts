import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const MIB = 2 ** 20;
// USER_HZ is 100 on every architecture that wasp is built for.
const TICKS_PER_SECOND = 100;

/** CPU time and memory of a process. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly anonymousBytes: number;
  /**
   * Pages of the executable's file: other processes with the same executable share them, and the kernel may drop them.
   */
  readonly binaryBytes: number;
  readonly peakBytes: number;
  readonly descriptors: number;
  readonly watches: number;
}

/** Reads the current usage of a process. */
export function usageOf(pid: number): ProcessUsage {
  const proc = `/proc/${pid}`;
  const status = readFileSync(`${proc}/status`, "utf8");
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  const [, stat = ""] = readFileSync(`${proc}/stat`, "utf8").split(") ");
  const [user, system] = stat.split(" ").slice(11, 13).map(Number) as [number, number];
  return {
    cpuSeconds: (user + system) / TICKS_PER_SECOND,
    rssBytes: bytes("VmRSS"),
    anonymousBytes: bytes("RssAnon"),
    binaryBytes: binaryBytes(proc),
    peakBytes: bytes("VmHWM"),
    descriptors: readdirSync(`${proc}/fd`).length,
    watches: watches(proc),
  };
}

/** Formats bytes in MiB. */
export function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

function binaryBytes(proc: string): number {
  const binary = readlinkSync(`${proc}/exe`);
  let bytes = 0;
  let isBinary = false;
  for (const line of readFileSync(`${proc}/smaps`, "utf8").split("\n")) {
    if (/^[0-9a-f]+-/.test(line)) isBinary = line.endsWith(` ${binary}`);
    const [, resident, kind] = /^(?:(Rss)|(Anonymous)):/.exec(line) ?? [];
    if (!isBinary || (resident ?? kind) === undefined) continue;
    // Written pages are the process's own copies.
    bytes += (resident ? 1 : -1) * Number(/\d+/.exec(line)?.[0]) * 1024;
  }
  return bytes;
}

function watches(proc: string): number {
  const infos = readdirSync(`${proc}/fdinfo`).map((name) => {
    try {
      return readFileSync(`${proc}/fdinfo/${name}`, "utf8");
    } catch {
      return ""; // Closed meanwhile.
    }
  });
  return infos.join("").match(/^inotify /gm)?.length ?? 0;
}
