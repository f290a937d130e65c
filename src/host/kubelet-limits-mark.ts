import { readAttribute, removeAttribute, writeAttribute } from "./libc.ts";

// An attribute of the kubepods cgroup: the agent reaches no other folder of the host that the hook reads, and the kernel
// drops it with the cgroup, at the latest at the next boot.
const ATTRIBUTE = "user.wasp.kubelet-limits-swap";

/** Age in seconds up to which a mark counts: longer than an agent's restart, and not for ever after its removal. */
const MAX_AGE_SECONDS = 3600;

// The agent's process and the hook's share no other clock.
const nowSeconds = () => Date.now() / 1000;

/**
 * Marks a cgroup v2 directory at a time, in seconds since 1970, by default now: the kubelet limits the swap of the containers below
 * it. Throws a SystemError, also where the file system has no attributes.
 */
export function markKubeletLimits(directory: string, atSeconds = nowSeconds()): void {
  writeAttribute(directory, ATTRIBUTE, String(Math.floor(atSeconds)));
}

/** Removes the mark of a directory, if it has one; throws a SystemError. */
export function unmarkKubeletLimits(directory: string): void {
  removeAttribute(directory, ATTRIBUTE);
}

/** Returns true if one of these directories has a mark that still counts; throws a SystemError. */
export function hasKubeletLimitsMark(directories: readonly string[]): boolean {
  for (const directory of directories) {
    const marked = readAttribute(directory, ATTRIBUTE);
    // A clock that was set back may not keep a mark for longer either.
    if (marked !== undefined && Math.abs(nowSeconds() - Number(marked)) <= MAX_AGE_SECONDS) return true;
  }
  return false;
}
