import { describe, expect, test } from "bun:test";
import { decideEviction, type EvictionConfig } from "../../../src/policy/eviction/decide.ts";
import {
  DEFAULT_THRESHOLDS,
  WASP_AGENT_LIMITS,
  waspAgentThresholds,
} from "../../../src/policy/eviction/default-thresholds.ts";
import type { Snapshot } from "../../../src/policy/eviction/snapshot.ts";
import { isPressed, NO_EVICTIONS } from "../../../src/policy/eviction/state.ts";
import type { Threshold } from "../../../src/policy/eviction/threshold.ts";
import { GI, MI, podOf, sampleOf, snapshotAt } from "./snapshots.ts";

/** Events on a node each second, and its free resources. */
interface Load {
  readonly stall?: number;
  readonly swapInPages?: number;
  readonly swapOutPages?: number;
  readonly swapFreeBytes?: number;
  readonly memoryAvailableBytes?: number;
  readonly anonRefaults?: number;
  /** Growth of a cold pod's swap, while another pod takes the room; its pages go out and come back all the time. */
  readonly coldPages?: number;
  readonly hasNoPressure?: boolean;
}

function snapshotOf(second: number, load: Load): Snapshot {
  const snapshot = snapshotAt(
    second,
    {
      ...load,
      stallMicroseconds: (load.stall ?? 0) * second * 1e6,
      swapInPages: (load.swapInPages ?? 0) * second,
      swapOutPages: (load.swapOutPages ?? 0) * second,
      anonRefaults: (load.anonRefaults ?? 0) * second,
    },
    [podOf("a"), podOf("hot")],
    [
      sampleOf("a", { memoryBytes: GI, swapBytes: (load.coldPages ?? 0) * second * 4096 }),
      sampleOf("hot", {
        memoryBytes: 50 * MI + (load.coldPages ?? 0) * second * 4096,
        swapBytes: GI / 4,
        anonRefaults: (load.swapInPages ?? 0) * second,
      }),
    ],
  );
  const { kubepods } = snapshot;
  if (!load.hasNoPressure || kubepods === undefined) return snapshot;
  return { ...snapshot, kubepods: { ...kubepods, memoryPressure: undefined } };
}

/** Time in seconds of the first eviction under a load, and the thresholds that call for it. */
function firstEviction(evictionThresholds: readonly Threshold[], load: Load) {
  const config: EvictionConfig = {
    evictionMode: "Enforce",
    evictionThresholds,
    trafficWindowSeconds: 30,
    cooldownSeconds: 60,
    victimDeadlineSeconds: 300,
    maxEvictionsPerHour: 6,
    lastResort: "None",
    excludeNamespaces: [],
    ownPodUid: undefined,
    evictionOptOut: "WithinRequests",
    evictionOptOutNamespaces: ["*"],
  };
  let before = NO_EVICTIONS;
  for (let second = 0; second < 240; second++) {
    const { decision, state } = decideEviction(before, snapshotOf(second, load), config);
    expect(isPressed(state)).toBe(decision.verdict === "evict");
    if (decision.verdict === "evict") return { second, thresholds: decision.thresholds };
    before = state;
  }
  return undefined;
}

const busy = { swapInPages: 5000, swapOutPages: 5000 };
const short = { memoryAvailableBytes: 50 * MI };
const full = { ...short, swapFreeBytes: 0 };
const usedUp = "swap-and-memory-used-up";

describe("the default thresholds", () => {
  test.each<[string, Load, string[] | undefined]>([
    ["stalled by swap", { ...busy, ...short, stall: 0.2 }, ["swap-harm"]],
    ["slightly stalled", { ...busy, ...short, stall: 0.09 }, undefined],
    ["busy without a stall", { ...busy, ...short }, undefined],
    ["stalled while memory comes back, as it is not short any more", { ...busy, stall: 0.9 }, undefined],
    ["stalled for another reason than swap", { ...short, stall: 0.9 }, undefined],
    ["stalled, with full swap and without traffic", { ...full, stall: 0.8 }, ["swap-harm"]],
    ["full, and quiet", full, undefined],
    [
      "full and read, without pressure stall information",
      { ...full, anonRefaults: 50, hasNoPressure: true },
      [usedUp],
    ],
    [
      "full and quiet, without pressure stall information",
      { ...full, anonRefaults: 49, hasNoPressure: true },
      undefined,
    ],
    ["full, read and not stalled", { ...full, anonRefaults: 5000 }, undefined],
    [
      "busy, without pressure stall information",
      { ...busy, ...short, anonRefaults: 5000, hasNoPressure: true },
      undefined,
    ],
    [
      "full of swap alone, without pressure stall information",
      { ...full, memoryAvailableBytes: GI, anonRefaults: 5000, hasNoPressure: true },
      undefined,
    ],
  ])("decide on a node that is %s", (_, load, thresholds) => {
    const eviction = firstEviction(DEFAULT_THRESHOLDS, load);
    expect(eviction?.thresholds).toEqual(thresholds);
    if (eviction !== undefined) expect(eviction.second).toBeWithin(10, 18);
  });

  test("give a node with settling swap three minutes, and none to a node where almost nothing settles", () => {
    const settling = { ...busy, ...short, stall: 0.5, coldPages: 1000 };
    const late = firstEviction(DEFAULT_THRESHOLDS, settling);
    expect(late?.second).toBeWithin(180, 186);
    const early = firstEviction(DEFAULT_THRESHOLDS, { ...settling, coldPages: 400 });
    expect(early?.second).toBeWithin(10, 16);
    const atOnce = firstEviction(DEFAULT_THRESHOLDS, { ...settling, ...full });
    expect(atOnce?.second).toBeWithin(10, 16);
    for (const eviction of [late, early, atOnce]) expect(eviction?.thresholds).toEqual(["swap-harm"]);
  });
});

describe("wasp-agent's thresholds", () => {
  test.each<[string, Load, string[] | undefined]>([
    ["busy in both directions", { swapInPages: 1001, swapOutPages: 1001 }, ["swap-traffic"]],
    ["at the limit", { swapInPages: 1000, swapOutPages: 1001 }, undefined],
    ["busy in one direction", { swapInPages: 50_000 }, undefined],
    // 0.8 of 1 GiB is used beyond the memory.
    ["overcommitted by more", { memoryAvailableBytes: 0, swapFreeBytes: 0.19 * GI }, ["swap-utilization"]],
    ["overcommitted by less", { memoryAvailableBytes: 0, swapFreeBytes: 0.21 * GI }, undefined],
    ["stalled, with half-empty swap and without traffic", { stall: 0.8 }, undefined],
  ])("decide on a node that is %s", (_, load, thresholds) => {
    expect(firstEviction(waspAgentThresholds(WASP_AGENT_LIMITS), load)?.thresholds).toEqual(thresholds);
  });
});
