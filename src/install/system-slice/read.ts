import { existsSync, readdirSync } from "node:fs";
import { readSwappedTo } from "../swap/read-swap.ts";
import type { Host } from "../target/host.ts";
import { isThere, readIfThere } from "../target/read-host.ts";
import type { SystemSliceFacts } from "./plan.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Reads what has to be known before system.slice is protected; `planned` is what swap is to be put on in this run. */
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

function hasIoLatency(host: Host): boolean | undefined {
  const controllers = readIfThere(host, `${CGROUPS}/cgroup.controllers`);
  if (controllers === undefined || !controllers.split(/\s+/).includes("io")) return false;
  if (isThere(host, `${CGROUPS}/system.slice/io.latency`)) return true;
  // A cgroup for which the controller is on has all of its files, as far as the kernel has them.
  const slices = existsSync(host.fsroot + CGROUPS) ? readdirSync(host.fsroot + CGROUPS) : [];
  return slices.some((slice) => isThere(host, `${CGROUPS}/${slice}/io.stat`)) ? false : undefined;
}
