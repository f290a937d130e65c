import { existsSync, statSync } from "node:fs";
import { readFile } from "./file.ts";
import { close, O, open, tryLock } from "./libc.ts";

/**
 * Takes the lock that one NRI plugin of wasp's on a node may hold, on a file of the root of the cgroup hierarchy below
 * fsroot, and keeps it until disposed of; undefined when another holds it. Throws a SystemError where there is no such
 * file. Two that set the same file of a cgroup would keep every container from starting
 * (containerd/nri pkg/adaptation/result.go, claims of owners).
 */
export function takePluginLock(fsroot: string): Disposable | undefined {
  return takeLock(fsroot + PLUGIN_LOCK);
}

const PLUGIN_LOCK = "/sys/fs/cgroup/cgroup.controllers";

/**
 * Takes the lock that one agent of a node may hold, on the root of the cgroup hierarchy below fsroot, and keeps it until
 * disposed of; undefined when another holds it. Throws a SystemError where there is no hierarchy.
 *
 * The folder is the one thing that all agents of a node share, in whatever container they run, and the kernel lets go
 * of the lock when its holder dies.
 */
export function takeNodeLock(fsroot: string): Disposable | undefined {
  return takeLock(`${fsroot}/sys/fs/cgroup`);
}

function takeLock(path: string): Disposable | undefined {
  const descriptor = open(path, O.RDONLY);
  if (tryLock(descriptor, path)) return { [Symbol.dispose]: () => close(descriptor) };
  close(descriptor);
  return undefined;
}

// As in `12: FLOCK  ADVISORY  WRITE 4711 00:1b:1 0 EOF`; who waits for a lock has an arrow in front.
const LOCK_LINE = /^\d+: FLOCK +\w+ +\w+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm;

/**
 * Tells which process holds the lock that takeNodeLock takes, without getting in the way of one that wants it; undefined
 * where none does. Throws an error that names what cannot be read.
 */
export function readLockHolder(fsroot: string): number | undefined {
  return readHolder(fsroot, "/sys/fs/cgroup");
}

/** Tells the same of the lock that takePluginLock takes; nobody holds it on cgroup v1. */
export function readPluginLockHolder(fsroot: string): number | undefined {
  return existsSync(fsroot + PLUGIN_LOCK) ? readHolder(fsroot, PLUGIN_LOCK) : undefined;
}

function readHolder(fsroot: string, path: string): number | undefined {
  const { dev, ino } = statSync(fsroot + path);
  const locks = readFile(`${fsroot}/proc/locks`).matchAll(LOCK_LINE);
  for (const [, pid, major = "", minor = "", inode] of locks) {
    const isDevice =
      majorOf(dev) === Number.parseInt(major, 16) && minorOf(dev) === Number.parseInt(minor, 16);
    if (isDevice && Number(inode) === ino) return Number(pid);
  }
  return undefined;
}

// The kernel's new_encode_dev: the minor number's low eight bits, the major one, the minor one's rest.
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}

function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}
