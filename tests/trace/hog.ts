import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { GI, MI, podOf, sampleOf, snapshotAt } from "../policy/eviction/snapshots.ts";

/** How long the node is quiet, how long a pod harms it, and for how long it is quiet again. */
export const HOG = { quietSeconds: 30, harmSeconds: 120, restSeconds: 90 } as const;

/** What a node tells once a second while a pod, shop/hog, takes more memory than there is beside shop/web, and gives it back. */
export function hogSnapshots(): Snapshot[] {
  const { quietSeconds, harmSeconds, restSeconds } = HOG;
  const pods = [podOf("hog"), podOf("web")];
  return Array.from({ length: quietSeconds + harmSeconds + restSeconds + 1 }, (_, second) => {
    const harmed = Math.min(Math.max(0, second - quietSeconds), harmSeconds);
    const isHarmed = harmed > 0 && harmed < harmSeconds;
    const used = Math.min(0.9, harmed * 0.02) * GI;
    const moment = {
      stallMicroseconds: harmed * 400_000,
      swapInPages: harmed * 3000,
      swapOutPages: harmed * 3500,
      anonRefaults: harmed * 2500,
      swapFreeBytes: GI - (isHarmed ? used : 0.1 * GI),
      memoryAvailableBytes: isHarmed ? 0.1 * GI : 2 * GI,
    };
    const hog = {
      memoryBytes: (isHarmed ? 900 : 200) * MI,
      swapBytes: isHarmed ? used : 0,
      anonRefaults: harmed * 2000,
    };
    const web = { memoryBytes: 120 * MI, anonRefaults: harmed * 500 };
    return snapshotAt(second, moment, pods, [sampleOf("hog", hog), sampleOf("web", web)]);
  });
}
