import { install } from "../finding/remedy.ts";
import { checksOn, error, ok, unknown } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "../kubelet/rules.ts";
import { dangersOf, type OwnedPath } from "../target/owned-path.ts";

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

const check = checksOn<BinaryCheckFacts & KubeletCheckFacts>();

/** Requires an installed executable that runs. */
export const binary = check({
  id: "binary",
  needs: ["binary", "runtime"],
  right: "the executable that the hook runs is installed, and runs",
  judge: ({ binary: { path, owned, run }, runtime }) => {
    if (owned.length === 0 && runtime === "containerd") return undefined;
    if (owned.length === 0) return error(`${path} is not there`, install("binary"));
    if (run === undefined && dangersOf(owned).length > 0)
      return unknown(`${path} was not run: a user other than root may change it`, install("binary"));
    if (run === undefined) return ok(`${path} is installed`);
    return "version" in run
      ? ok(`${path}: ${run.version}`)
      : error(`${path} does not run: ${run.failure}`, install("binary"));
  },
});
