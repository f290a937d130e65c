import { type LoadedMemoryQos, NO_MEMORY_QOS } from "../../config/nri/memory-qos-file.ts";
import { readCanLimitSwap, readCgroupVersion } from "../../host/cgroup-support.ts";
import { readNodeCapacity } from "../../host/meminfo.ts";
import type { Tell } from "../../log/events.ts";
import {
  decideNriLimits,
  type NriLimits,
  type NriLimitsContainer,
  type NriLimitsPod,
  type SwapSharing,
  withoutSwap,
} from "../../policy/limits/spec-limits.ts";
import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";

/** Where limits are decided, and by what. */
export interface SpecLimitsOptions {
  readonly fsroot: string;
  /** Undefined where swap is left to memory QoS. */
  readonly swapLimit: SwapLimitConfig | undefined;
  readonly tell: Tell;
}

/** Decides what is written into containers' specs on this node, by the configuration that is in force. */
export class SpecLimits {
  readonly #options: SpecLimitsOptions;
  readonly #forKernel: (limits: NriLimits) => NriLimits;
  #memoryQos = NO_MEMORY_QOS.config;

  /** Throws an Error where the node has no cgroup v2, the only one with such files. */
  constructor(options: SpecLimitsOptions) {
    this.#options = options;
    this.#forKernel = limitsForKernel(options.fsroot, options.tell);
  }

  /** Decides by another configuration from now on. */
  take({ config, warnings }: LoadedMemoryQos): void {
    const { tell } = this.#options;
    this.#memoryQos = config;
    const classes = config.classes.map(({ name, swapLimitRatio }) => `${name}=${swapLimitRatio}`);
    const files = config.unifiedAnnotations.join(" ");
    tell("memory-qos-configured", { classes: classes.join(" "), unifiedAnnotations: files });
    for (const warning of warnings) tell("config-doubtful", { warning });
  }

  /** What a container is to have in its spec now. */
  readonly decide = (pod: NriLimitsPod, container: NriLimitsContainer): NriLimits => {
    return this.#forKernel(decideNriLimits(pod, container, this.#memoryQos, this.#sharing()));
  };

  // Read each time, as swap comes and goes.
  #sharing(): SwapSharing | undefined {
    const { fsroot, swapLimit, tell } = this.#options;
    if (swapLimit === undefined) return undefined;
    try {
      return { node: readNodeCapacity(fsroot), config: swapLimit };
    } catch (error) {
      tell("node-unknown", { error: (error as Error).message });
      return undefined;
    }
  }
}

/**
 * What the node's kernel can hold of a container's limits: no container starts whose spec names a file that is not there.
 * Throws an Error where the node has no cgroup v2, the only one with such files.
 */
export function limitsForKernel(fsroot: string, tell: Tell): (limits: NriLimits) => NriLimits {
  if (readCgroupVersion(fsroot) === 1)
    throw new Error(`${fsroot}/sys/fs/cgroup: is cgroup v1, and memory.high and memory.swap.max are of v2`);
  if (canLimitSwap(fsroot)) return (limits) => limits;
  tell("swap-limits-impossible", { error: "no cgroup has memory.swap.max" });
  return withoutSwap;
}

// Where nothing is to be seen, as from inside of a cgroup namespace, it can: nearly every kernel does.
function canLimitSwap(fsroot: string): boolean {
  try {
    return readCanLimitSwap(fsroot);
  } catch {
    return true;
  }
}
