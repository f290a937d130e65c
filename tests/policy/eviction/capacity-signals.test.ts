import { describe, expect, test } from "bun:test";
import { capacitySignals } from "../../../src/policy/eviction/capacity-signals.ts";
import type { KubepodsSample } from "../../../src/policy/eviction/snapshot.ts";
import { GI, MI, podOf, snapshotAt } from "./snapshots.ts";

describe("what is in use", () => {
  test("of swap, is told as a part of it, and not at all without swap", () => {
    const some = snapshotAt(0, { swapFreeBytes: GI / 4 });
    expect(capacitySignals(some).swapUtilization).toBe(0.75);
    // Free swap and all swap are two lines, between which some may go.
    expect(capacitySignals(snapshotAt(0, { swapFreeBytes: 2 * GI })).swapUtilization).toBe(0);
    const none = { ...some, node: { ...some.node, swapTotalBytes: 0, swapFreeBytes: 0 } };
    expect(capacitySignals(none).swapUtilization).toBeUndefined();
  });

  test("of memory and swap together, is told as a part of the memory", () => {
    const full = snapshotAt(0, { memoryAvailableBytes: 0, swapFreeBytes: 0 });
    expect(capacitySignals(full).memoryOvercommit).toBe(1.25);
  });

  test("of swap, beyond the memory, is told as a part of the swap", () => {
    // 4 GiB of memory and 1 GiB of swap.
    const full = { memoryAvailableBytes: 0, swapFreeBytes: 0 };
    expect(capacitySignals(snapshotAt(0, full)).swapOvercommit).toBe(1);
    expect(capacitySignals(snapshotAt(0, { ...full, swapFreeBytes: GI / 4 })).swapOvercommit).toBe(0.75);
    expect(capacitySignals(snapshotAt(0, { ...full, memoryAvailableBytes: GI / 4 })).swapOvercommit).toBe(
      0.75,
    );
    expect(capacitySignals(snapshotAt(0, {})).swapOvercommit).toBe(-1.5);
    const { node, ...rest } = snapshotAt(0, full);
    const none = { ...rest, node: { ...node, swapTotalBytes: 0 } };
    expect(capacitySignals(none).swapOvercommit).toBeUndefined();
  });

  test.each<[string, Partial<KubepodsSample>, number, number]>([
    ["the node's memory", {}, 0.25, GI],
    ["all that pods may have", { memoryBytes: 2.5 * GI }, 1 / 6, GI / 2],
    [
      "what pods may have before they are held up",
      { memoryHighBytes: GI, memoryBytes: GI - MI },
      1 / 1024,
      MI,
    ],
    ["the node's, as page cache is no use", { memoryBytes: 3 * GI, inactiveFileBytes: 2 * GI }, 0.25, GI],
    ["nothing, where pods have more than they may", { memoryBytes: 3.5 * GI }, 0, 0],
  ])("leaves available %s", (_, pods, fraction, bytes) => {
    const snapshot = snapshotAt(0, { memoryAvailableBytes: GI });
    const kubepods = snapshot.kubepods && { ...snapshot.kubepods, ...pods };
    const { memoryAvailable, memoryAvailableBytes } = capacitySignals({ ...snapshot, kubepods });
    expect(memoryAvailable).toBeCloseTo(fraction, 12);
    expect(memoryAvailableBytes).toBe(bytes);
    expect(capacitySignals({ ...snapshot, kubepods: undefined }).memoryAvailable).toBe(0.25);
  });

  test("by requests, is told as a part of what pods may have", () => {
    const pods = ["a", "b", "c"].map((uid) =>
      podOf(uid, {
        containers: [{ name: "app", id: uid, memoryRequestBytes: GI, memoryLimitBytes: undefined }],
      }),
    );
    expect(capacitySignals(snapshotAt(0, {}, pods)).requestOvercommit).toBe(1);
  });
});
