import { flagName } from "./knobs.ts";

/** The clusters that manifests are printed for. */
export const PLATFORMS = ["openshift"] as const;

/** A kind of cluster. */
export type Platform = (typeof PLATFORMS)[number];

// What a manifest can say of a node.
const MEANT: readonly string[] = [
  "print",
  "evictionSoft",
  "swapFile",
  "swapDevice",
  "zram",
  "swapSizeBytes",
  "overcommit",
  "swapPriority",
  "encrypt",
];

/** The flags, of those given, that mean nothing where manifests are printed. */
export function flagsWithoutManifest(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(given)
    .filter((knob) => !MEANT.includes(knob))
    .map((knob) => `--${flagName(knob)}`);
}
