import type { OomdFacts } from "../../../policy/install/check/oomd-facts.ts";
import { settingsOf } from "../../../policy/install/check/unit-settings.ts";
import { readUnitFiles } from "./unit-files.ts";

// Slices above the pods: of them it kills what is below.
const SLICES = ["-.slice", "kubepods.slice", "kubepods-burstable.slice"];

/** Reads for which slices above the pods systemd-oomd kills for swap. Throws an error that names the file that cannot be read. */
export function readOomd(fsroot: string): OomdFacts {
  const killsForSwap = SLICES.flatMap((unit) => {
    const last = settingsOf(readUnitFiles(fsroot, unit), "Slice", "ManagedOOMSwap").at(-1);
    return last?.value === "kill" ? { unit, path: last.path } : [];
  });
  return { killsForSwap };
}
