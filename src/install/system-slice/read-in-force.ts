import { readFileIfThere } from "../../host/file.ts";
import type { SystemSliceInForce } from "./check-facts.ts";

/** Reads the settings of system.slice that the kernel has in force, on cgroup v2; undefined where it has no such cgroup. */
export function readSystemSliceInForce(fsroot: string): SystemSliceInForce | undefined {
  const directory = `${fsroot}/sys/fs/cgroup/system.slice`;
  const swapMax = readFileIfThere(`${directory}/memory.swap.max`)?.trim();
  return swapMax === undefined
    ? undefined
    : { swapMax, ioLatency: readFileIfThere(`${directory}/io.latency`) };
}
