import { existsSync, statSync } from "node:fs";
import { CGROUP_ROOT } from "./cgroup-layout.ts";
import { readFile } from "./file.ts";
import { close, O, open, tryLock } from "./libc.ts";

/**
 * Acquires the lock of wasp's NRI plugin on a node, on a file of the root of the cgroup hierarchy below fsroot, until
 * it is disposed of; undefined if another process holds it. Throws a SystemError if the file is missing. Two plugins
 * that set the same file of a cgroup would prevent every container's start (containerd/nri pkg/adaptation/result.go,
 * claims of owners).
 */
export function takePluginLock(fsroot: string): Disposable | undefined {
  return takeLock(fsroot + PLUGIN_LOCK);
}

const PLUGIN_LOCK = `${CGROUP_ROOT}/cgroup.controllers`;

/**
 * Acquires the lock of wasp's agent on a node, on the root of the cgroup hierarchy below fsroot, until it is disposed
 * of; undefined if another process holds it. Throws a SystemError if there is no hierarchy.
 *
 * The directory is the one thing that all agents of a node share, whatever their container, and the kernel releases the
 * lock when its holder dies.
 */
export function takeNodeLock(fsroot: string): Disposable | undefined {
  return takeLock(fsroot + CGROUP_ROOT);
}

function takeLock(path: string): Disposable | undefined {
  const descriptor = open(path, O.RDONLY);
  if (tryLock(descriptor, path)) return { [Symbol.dispose]: () => close(descriptor) };
  close(descriptor);
  return undefined;
}

// Example: `12: FLOCK  ADVISORY  WRITE 4711 00:1b:1 0 EOF`; the line of a waiting process has an arrow in front.
const LOCK_LINE = /^\d+: FLOCK +\w+ +\w+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm;

/**
 * Returns the pid of the process that holds the lock of takeNodeLock, without delaying others that acquire it;
 * undefined if the lock is free. Throws an Error that names the unreadable file.
 */
export function readLockHolder(fsroot: string): number | undefined {
  return readHolder(fsroot, CGROUP_ROOT);
}

/** Returns the pid of the process that holds the lock of takePluginLock; undefined on cgroup v1, which has none. */
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

// As the kernel's new_encode_dev: the low eight bits of the minor number, the major number, the rest of the minor
// number.
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}

function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}
