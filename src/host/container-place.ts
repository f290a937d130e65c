import { readdirSync } from "node:fs";
import type { ContainerPlace } from "../policy/limits/sight.ts";
import type { ContainerCgroup } from "./container-cgroup.ts";
import { readRecord, unlessGone, unlessMissing } from "./file.ts";
import { isPopulated } from "./process-levels.ts";

// A pause process has less than one MiB, a sandbox with a kernel of its own at least some tens.
const SANDBOX_BYTES = 8 * 2 ** 20;

/** Returns the place of a container by its cgroup, which may be gone. */
export function placeOfContainer({ own }: ContainerCgroup): ContainerPlace {
  const scope = own.at(-1) ?? "";
  const hasTasks = isPopulated(scope);
  if (hasTasks !== undefined) return hasTasks ? "seen" : "empty";
  return unlessGone(() => readdirSync(scope)) === undefined ? "missing" : "seen";
}

/** Returns true if processes are in a pod's cgroup, or below it, that use more memory than a pause container's. */
export function hasSandbox({ own }: ContainerCgroup): boolean {
  const directory = own.at(-1) ?? "";
  const memory = unlessMissing(() => readRecord(`${directory}/memory.current`));
  return isPopulated(directory) === true && Number(memory ?? 0) >= SANDBOX_BYTES;
}
