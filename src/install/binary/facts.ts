import type { OwnedPath } from "../target/owned-path.ts";

/** The executable that the hook runs. */
export interface BinaryFacts {
  readonly path: string;
  /** It and all folders above it, from the root on; empty where it is not there. */
  readonly owned: readonly OwnedPath[];
  /** What it says of its version, or why it does not run; undefined where it was not run. */
  readonly run: { readonly version: string } | { readonly failure: string } | undefined;
}
