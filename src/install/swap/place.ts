import type { SwapSize } from "../engine/options.ts";
import type { SwapMemory } from "./facts.ts";
import type { Sizing } from "./size.ts";

/** Requested size of the swap. */
export interface RequestedSize {
  readonly size: SwapSize | undefined;
  /** The size in bytes; undefined for a percentage in an image, whose nodes may differ in memory. */
  readonly sizing: Sizing | undefined;
  /** Undefined in an image. */
  readonly memory: SwapMemory | undefined;
}

/** Assessment of a place for swap. */
export interface PlaceAssessment {
  /** True if wasp made the existing swap. */
  readonly isOwn: boolean;
  /** Reasons for not making swap there. */
  readonly refusals: readonly string[];
  readonly notes: readonly string[];
}
