import type { OwnedPath } from "../target/owned-path.ts";

/** The executable that the hook runs, as found on the host. */
export interface InstalledBinary {
  readonly path: string;
  /** The executable and all folders above it, from the root on; empty where the executable is missing. */
  readonly owned: readonly OwnedPath[];
  /** The version that it prints, or the error that it ends with; undefined where it was not run. */
  readonly run: { readonly version: string } | { readonly failure: string } | undefined;
}

/** Facts about the executable for the rules. */
export interface BinaryCheckFacts {
  readonly binary: InstalledBinary;
}
