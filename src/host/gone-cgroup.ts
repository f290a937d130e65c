import { existsSync } from "node:fs";
import type { ContainerCgroup } from "./container-cgroup.ts";
import { SystemError } from "./libc.ts";

/**
 * Returns true if an error of one of a container's files means that its cgroup is gone: the levels of a cgroup are removed
 * from the bottom up, and the watch reports the end of the last one.
 */
export function isGone({ own }: ContainerCgroup, error: unknown): boolean {
  return error instanceof SystemError && error.isMissing && !own.every((level) => existsSync(level));
}
