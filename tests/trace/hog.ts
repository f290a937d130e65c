import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { GI, MI, podOf, sampleOf, snapshotAt } from "../policy/eviction/snapshots.ts";

/** Length of the quiet time, of the harm by a pod, and of the quiet time after it, in seconds. */
export const HOG = { quietSeconds: 30, harmSeconds: 120, restSeconds: 90 } as const;

/**
 * Returns a snapshot per second of a node on which a pod, shop/hog, takes more memory than is free beside shop/web, and
 * frees it again.
 */
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

/** Returns a snapshot per second of a node whose swap is more than half full for five seconds of twelve, for two minutes. */
export function flappingSnapshots(): Snapshot[] {
  const pods = [podOf("hog"), podOf("web")];
  return Array.from({ length: 181 }, (_, second) => {
    const isFull = second > 40 && second <= 160 && second % 12 < 5;
    const moment = { swapFreeBytes: (isFull ? 0.4 : 0.6) * GI, memoryAvailableBytes: GI };
    return snapshotAt(second, moment, pods, [sampleOf("hog", { swapBytes: 0.4 * GI }), sampleOf("web")]);
  });
}
