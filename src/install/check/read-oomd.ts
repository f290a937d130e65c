import { readUnitFiles } from "../target/unit-files.ts";
import { unitSettings } from "../target/unit-settings.ts";
import type { OomdFacts } from "./facts.ts";

// Slices above the pods: it kills cgroups below them.
const SLICES = ["-.slice", "kubepods.slice", "kubepods-burstable.slice"];

/** Reads the slices above the pods in which systemd-oomd kills for swap. Throws an error that names the file that cannot be read. */
export function readOomd(fsroot: string): OomdFacts {
  const killsForSwap = SLICES.flatMap((unit) => {
    const last = unitSettings(readUnitFiles(fsroot, unit), "Slice", "ManagedOOMSwap").at(-1);
    return last?.value === "kill" ? { unit, path: last.path } : [];
  });
  return { killsForSwap };
}
