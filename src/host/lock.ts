import { close, O, open, tryLock } from "./libc.ts";

/**
 * Takes the lock that one agent of a node may hold, on the root of the cgroup hierarchy below fsroot, and keeps it until
 * disposed of; undefined when another holds it. Throws a SystemError where there is no hierarchy.
 *
 * The folder is the one thing that all agents of a node share, in whatever container they run, and the kernel lets go
 * of the lock when its holder dies.
 */
export function takeNodeLock(fsroot: string): Disposable | undefined {
  const directory = `${fsroot}/sys/fs/cgroup`;
  const descriptor = open(directory, O.RDONLY);
  if (tryLock(descriptor, directory)) return { [Symbol.dispose]: () => close(descriptor) };
  close(descriptor);
  return undefined;
}
