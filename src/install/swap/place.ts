import type { SwapSize } from "../engine/options.ts";
import type { SwapMemory } from "./facts.ts";
import type { Sizing } from "./size.ts";

/** How much swap was asked for. */
export interface SizeAsked {
  readonly size: SwapSize | undefined;
  /** What that comes to; undefined for a share of an image's memory, which differs on the nodes that start from it. */
  readonly asked: Sizing | undefined;
  /** Undefined in an image. */
  readonly memory: SwapMemory | undefined;
}

/** What is to be said of the place where swap was chosen to be. */
export interface Judgement {
  /** Whether wasp made the swap that is there. */
  readonly isOwn: boolean;
  /** Why swap cannot be made there. */
  readonly refusals: readonly string[];
  readonly notes: readonly string[];
}
