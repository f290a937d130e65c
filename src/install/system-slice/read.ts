import { existsSync, readdirSync } from "node:fs";
import { readFileIfThere } from "../../host/file.ts";
import { readSwappedTo } from "../swap/read-swap.ts";
import type { Host } from "../target/host.ts";
import { isThere, readIfThere } from "../target/read-host.ts";
import type { SystemSliceFacts } from "./plan.ts";
import type { SystemSliceInForce } from "./rules.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Reads the facts by which system.slice is planned; `planned` are the swap areas that this run sets up. */
export function readSystemSliceFacts(host: Host, planned: readonly string[]): SystemSliceFacts {
  const swaps = [...new Set([...readSwappedTo(host), ...planned])].sort();
  if (!host.isRunning)
    return { swaps, hasIoLatency: undefined, isSwapDenied: undefined, hasLatencyTarget: undefined };
  const [swapMax, latency] = ["memory.swap.max", "io.latency"].map((file) =>
    readIfThere(host, `${CGROUPS}/system.slice/${file}`),
  );
  return {
    swaps,
    hasIoLatency: hasIoLatency(host),
    isSwapDenied: swapMax === undefined ? undefined : swapMax.trim() === "0",
    hasLatencyTarget: latency === undefined ? undefined : /\btarget=[1-9]/.test(latency),
  };
}

/** Reads the settings of system.slice that the kernel has in force, on cgroup v2; undefined where it has no such cgroup. */
export function readSystemSliceInForce(fsroot: string): SystemSliceInForce | undefined {
  const directory = `${fsroot}${CGROUPS}/system.slice`;
  const swapMax = readFileIfThere(`${directory}/memory.swap.max`)?.trim();
  return swapMax === undefined
    ? undefined
    : { swapMax, ioLatency: readFileIfThere(`${directory}/io.latency`) };
}

function hasIoLatency(host: Host): boolean | undefined {
  const controllers = readIfThere(host, `${CGROUPS}/cgroup.controllers`);
  if (controllers === undefined || !controllers.split(/\s+/).includes("io")) return false;
  if (isThere(host, `${CGROUPS}/system.slice/io.latency`)) return true;
  // A cgroup with the io controller enabled has every io file that the kernel supports.
  const slices = existsSync(host.fsroot + CGROUPS) ? readdirSync(host.fsroot + CGROUPS) : [];
  return slices.some((slice) => isThere(host, `${CGROUPS}/${slice}/io.stat`)) ? false : undefined;
}
