import type { NodeCapacity } from "../../policy/limits/container.ts";
import type { BlockStack, SwapArea } from "./areas.ts";

/** Swap that is turned on when the node starts. */
export interface SwapsAtBoot {
  /** Swap areas, by the paths that /proc/swaps gives them. */
  readonly paths: readonly string[];
  /** True if a service sets up swap on zram. */
  readonly hasZramService: boolean;
}

/** Facts about swap for the rules. */
export interface SwapCheckFacts {
  readonly memory: NodeCapacity;
  readonly swaps: readonly SwapArea[];
  /** The block devices below each swap area, by its name. */
  readonly swapStacks: ReadonlyMap<string, BlockStack>;
  /** The block devices below the root file system. */
  readonly rootStack: BlockStack;
  readonly swapsAtBoot: SwapsAtBoot;
}
