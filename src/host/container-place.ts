import { existsSync } from "node:fs";
import type { ContainerPlace } from "../policy/limits/sight.ts";
import type { ContainerCgroup } from "./container-cgroup.ts";
import { readRecord, unlessMissing } from "./file.ts";
import { valueOfKey } from "./key-values.ts";
import { isPopulated } from "./process-levels.ts";

// A pause process has a tenth of a MiB, a sandbox with a kernel of its own at least some. Page cache and tmpfs do not count:
// what a container leaves behind is its pod's.
const SANDBOX_BYTES = 2 * 2 ** 20;

/** Returns the place of a container by its cgroup, which may be gone. */
export function placeOfContainer({ version, own }: ContainerCgroup): ContainerPlace {
  const scope = own.at(-1) ?? "";
  const hasTasks = version === 1 ? undefined : isPopulated(scope);
  if (hasTasks !== undefined) return hasTasks ? "seen" : "empty";
  return existsSync(scope) ? "seen" : "missing";
}

/** Returns true if processes are in a pod's cgroup, or below it, that have more memory than a pause container's. */
export function hasSandbox({ own }: ContainerCgroup): boolean {
  const directory = own.at(-1) ?? "";
  if (isPopulated(directory) !== true) return false;
  const stat = unlessMissing(() => readRecord(`${directory}/memory.stat`));
  const swap = unlessMissing(() => readRecord(`${directory}/memory.swap.current`));
  return valueOfKey(stat ?? "", "anon") + Number(swap ?? 0) >= SANDBOX_BYTES;
}
