import { readUnitFiles } from "../target/unit-files.ts";
import { settingsOf } from "../target/unit-settings.ts";
import type { OomdFacts } from "./facts.ts";

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
