import { flagName } from "../knob-names.ts";

/** Platforms for which manifests are printed. */
export const PLATFORMS = ["openshift", "kubernetes"] as const;

/** Platform of a cluster. */
export type Platform = (typeof PLATFORMS)[number];

// Knobs of a node that a manifest can set.
const NODE_KNOBS: readonly string[] = [
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

const VALID_KNOBS: Readonly<Record<Platform, readonly string[]>> = {
  openshift: NODE_KNOBS,
  kubernetes: [...NODE_KNOBS, "image", "only", "skip", "binaryPath", "ignoreKubelet"],
};

/** Flags of --print, which are not passed on to hosts. */
export const PRINT_FLAGS = { valued: ["print", "image"], switches: [] };

/** Returns the given flags that have no effect on the printed manifests of a platform. */
export function flagsWithoutManifest(given: Readonly<Record<string, unknown>>, platform: Platform): string[] {
  return Object.keys(given)
    .filter((knob) => !VALID_KNOBS[platform].includes(knob))
    .map((knob) => `--${flagName(knob)}`);
}
