import { flagName } from "../value-schemas.ts";

/** The clusters that manifests are printed for. */
export const PLATFORMS = ["openshift", "kubernetes"] as const;

/** A kind of cluster. */
export type Platform = (typeof PLATFORMS)[number];

// What a manifest can say of a node.
const OF_NODES: readonly string[] = [
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

const MEANT: Readonly<Record<Platform, readonly string[]>> = {
  openshift: OF_NODES,
  kubernetes: [...OF_NODES, "image", "only", "skip", "binaryPath", "ignoreKubelet"],
};

/** The flags of a manifest's own, which no host is told. */
export const PRINT_FLAGS = { valued: ["print", "image"], switches: [] };

/** The flags, of those given, that mean nothing where manifests are printed. */
export function flagsWithoutManifest(given: Readonly<Record<string, unknown>>, platform: Platform): string[] {
  return Object.keys(given)
    .filter((knob) => !MEANT[platform].includes(knob))
    .map((knob) => `--${flagName(knob)}`);
}
