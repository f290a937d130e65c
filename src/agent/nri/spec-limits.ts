import { existsSync } from "node:fs";
import { type LoadedMemoryQos, NO_MEMORY_QOS } from "../../config/nri/memory-qos-file.ts";
import { readCanLimitSwap, readCgroupVersion } from "../../host/cgroup-support.ts";
import { hasKubeletLimitsMark } from "../../host/kubelet-limits-mark.ts";
import { findKubepods } from "../../host/kubepods.ts";
import { readNodeCapacity } from "../../host/meminfo.ts";
import type { LogEvent } from "../../log/events.ts";
import { formatLimit } from "../../policy/kubernetes/quantity.ts";
import {
  decideNriLimits,
  type NriLimits,
  type NriLimitsContainer,
  type NriLimitsPod,
  type SwapSharing,
  withoutSwap,
} from "../../policy/limits/spec-limits.ts";
import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";

/** Options of the decisions about containers' specs. */
export interface SpecLimitsOptions {
  readonly fsroot: string;
  /** Undefined if only memory QoS limits swap. */
  readonly swapLimit: SwapLimitConfig | undefined;
  /** Swap limit of all pods together, in bytes; undefined for none. */
  readonly nodeSwapLimitBytes: number | undefined;
  readonly log: LogEvent;
}

/** Decides the limits in containers' specs on this node by the configuration in force. */
export class SpecLimits {
  readonly #options: SpecLimitsOptions;
  readonly #forKernel: (limits: NriLimits) => NriLimits;
  #memoryQos = NO_MEMORY_QOS.config;
  #kubepods: readonly string[] = [];

  /** Throws an Error if the node has no cgroup v2, which alone has such files. */
  constructor(options: SpecLimitsOptions) {
    this.#options = options;
    this.#forKernel = limitsForKernel(options.fsroot, options.log);
  }

  /** Changes the configuration of memory QoS. */
  setMemoryQos({ config, warnings }: LoadedMemoryQos): void {
    const { log } = this.#options;
    this.#memoryQos = config;
    const { classes: all, unifiedAnnotations, maxBytes = {} } = config;
    const classes = all.map(
      ({ name, swapLimitRatio, maxSwapBytes }) => `${name}=${swapLimitRatio}${upTo(maxSwapBytes)}`,
    );
    const files = unifiedAnnotations.map((file) => `${file}${upTo(maxBytes[file])}`).join(" ");
    log("memory-qos-configured", { classes: classes.join(" "), unifiedAnnotations: files });
    for (const warning of warnings) log("config-doubtful", { warning });
  }

  /** Decides the limits in a container's spec. */
  readonly decide = (pod: NriLimitsPod, container: NriLimitsContainer): NriLimits => {
    const { nodeSwapLimitBytes } = this.#options;
    return this.#forKernel(
      decideNriLimits(pod, container, this.#memoryQos, this.#sharing(), nodeSwapLimitBytes),
    );
  };

  // Read each time, because swap may be turned on or off.
  #sharing(): SwapSharing | undefined {
    const { fsroot, swapLimit, log } = this.#options;
    if (swapLimit === undefined) return undefined;
    try {
      const node = this.#isLeftToKubelet(fsroot) ? undefined : readNodeCapacity(fsroot);
      return { node, config: swapLimit };
    } catch (error) {
      log("node-unknown", { error: (error as Error).message });
      return { node: undefined, config: swapLimit };
    }
  }

  // As for the hook: a spec does not show which containers a kubelet in LimitedSwap gives no swap, and its agent knows.
  #isLeftToKubelet(fsroot: string): boolean {
    if (!this.#kubepods.every((directory) => existsSync(directory))) this.#kubepods = [];
    if (this.#kubepods.length === 0)
      this.#kubepods = findKubepods(fsroot).map(({ mount, path }) => mount + path);
    return hasKubeletLimitsMark(this.#kubepods);
  }
}

function upTo(maxBytes: number | undefined): string {
  return maxBytes === undefined ? "" : `<=${formatLimit(maxBytes)}`;
}

/**
 * Returns a filter that leaves only limits that the node's kernel has files for: a spec with a missing file keeps a
 * container from starting. Throws an Error if the node has no cgroup v2, which alone has such files.
 */
export function limitsForKernel(fsroot: string, log: LogEvent): (limits: NriLimits) => NriLimits {
  if (readCgroupVersion(fsroot) === 1)
    throw new Error(`${fsroot}/sys/fs/cgroup: is cgroup v1, but memory.high and memory.swap.max need v2`);
  if (canLimitSwap(fsroot)) return (limits) => limits;
  log("swap-limits-impossible", { error: "no cgroup has memory.swap.max" });
  return withoutSwap;
}

// If no cgroup can be read, as in a cgroup namespace, the kernel is taken to limit swap, as nearly every one does.
function canLimitSwap(fsroot: string): boolean {
  try {
    return readCanLimitSwap(fsroot);
  } catch {
    return true;
  }
}
