import { expect, test } from "bun:test";
import type { ContainerSample, PodSample } from "../../../src/policy/eviction/snapshot.ts";
import { swapHeadroomOf } from "../../../src/policy/eviction/swap-headroom.ts";
import { GI, MI, podOf, podSampleOf, sampleOf, snapshotAt } from "./snapshots.ts";

const pod = podOf("a");
const app = { swappableBytes: 100 * MI, swapLimitBytes: 40 * MI };
const ofPod = (swappable: number, swap = 0) => ({ swappableBytes: swappable * MI, swapBytes: swap * MI });
const pause = sampleOf("a", { id: "pause", swappableBytes: 0, swapLimitBytes: Number.POSITIVE_INFINITY });

const rows: [
  name: string,
  containers: readonly Partial<ContainerSample>[],
  pods: readonly Partial<PodSample>[],
  mebibytes: readonly [swapped: number, left: number] | undefined,
][] = [
  ["no container is sampled", [], [], undefined],
  ["an older recording has no limits", [{ swapLimitBytes: undefined }], [], undefined],
  ["within its limit", [app], [], [0, 40]],
  ["less than its limit", [{ ...app, swappableBytes: 5 * MI }], [], [0, 5]],
  ["some is swapped out", [{ ...app, swapBytes: 30 * MI }], [], [30, 10]],
  ["more than its limit is swapped out", [{ ...app, swapBytes: 50 * MI }], [], [50, 0]],
  ["it may not swap", [{ ...app, swapLimitBytes: 0 }], [], [0, 0]],
  ["more than the node's free swap", [{ swappableBytes: 4 * GI, swapLimitBytes: 4 * GI }], [], [0, 512]],
  ["nothing of a former container", [app], [ofPod(100)], [0, 40]],
  ["a pod's recording without it", [app], [{ swappableBytes: undefined }], [0, 40]],
  ["files of a former container", [app], [ofPod(125)], [0, 65]],
  ["more than that one's limit", [app], [ofPod(200)], [0, 80]],
  ["some of them swapped out", [app], [ofPod(200, 10)], [10, 70]],
  ["files of one that might not swap", [{ ...app, swapLimitBytes: 0 }], [ofPod(200)], [0, 0]],
  ["a pause container beside it", [{ ...app, swapLimitBytes: 0 }, pause], [ofPod(200)], [0, 0]],
];

test.each(rows)("room in swap: %s", (_, containers, pods, mebibytes) => {
  const snapshot = snapshotAt(
    0,
    {},
    [pod],
    containers.map((container) => sampleOf("a", container)),
    pods.map((sample) => podSampleOf("a", sample)),
  );
  const headroom = swapHeadroomOf(snapshot);
  expect(headroom && [headroom.swappedBytes / MI, headroom.leftBytes / MI]).toEqual(
    mebibytes === undefined ? undefined : [...mebibytes],
  );
});
