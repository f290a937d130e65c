import { describe, expect, test } from "bun:test";
import { capacitySignals } from "../../../src/policy/eviction/capacity-signals.ts";
import type { KubepodsSample } from "../../../src/policy/eviction/snapshot.ts";
import { GI, MI, podOf, snapshotAt } from "./snapshots.ts";

describe("usage", () => {
  test("of swap is a fraction of the swap, and undefined without swap", () => {
    const some = snapshotAt(0, { swapFreeBytes: GI / 4 });
    expect(capacitySignals(some).swapUtilization).toBe(0.75);
    // Free and total swap are two lines, and swap may be removed in between.
    expect(capacitySignals(snapshotAt(0, { swapFreeBytes: 2 * GI })).swapUtilization).toBe(0);
    const none = { ...some, node: { ...some.node, swapTotalBytes: 0, swapFreeBytes: 0 } };
    expect(capacitySignals(none).swapUtilization).toBeUndefined();
  });

  test("of memory and swap together is a fraction of the memory", () => {
    const full = snapshotAt(0, { memoryAvailableBytes: 0, swapFreeBytes: 0 });
    expect(capacitySignals(full).memoryOvercommit).toBe(1.25);
  });

  test("beyond the memory is a fraction of the swap", () => {
    // With 4 GiB of memory and 1 GiB of swap.
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
    ["the limit of the pods", { memoryBytes: 2.5 * GI }, 1 / 6, GI / 2],
    ["the pods' memory.high", { memoryHighBytes: GI, memoryBytes: GI - MI }, 1 / 1024, MI],
    [
      "the node's memory, because inactive page cache is no usage",
      { memoryBytes: 3 * GI, inactiveFileBytes: 2 * GI },
      0.25,
      GI,
    ],
    ["no memory, because the pods exceed their limit", { memoryBytes: 3.5 * GI }, 0, 0],
  ])("leaves available %s", (_, pods, fraction, bytes) => {
    const snapshot = snapshotAt(0, { memoryAvailableBytes: GI });
    const kubepods = snapshot.kubepods && { ...snapshot.kubepods, ...pods };
    const { memoryAvailable, memoryAvailableBytes } = capacitySignals({ ...snapshot, kubepods });
    expect(memoryAvailable).toBeCloseTo(fraction, 12);
    expect(memoryAvailableBytes).toBe(bytes);
    expect(capacitySignals({ ...snapshot, kubepods: undefined }).memoryAvailable).toBe(0.25);
  });

  test("by requests is a fraction of the pods' limit", () => {
    const pods = ["a", "b", "c"].map((uid) =>
      podOf(uid, {
        containers: [{ name: "app", id: uid, memoryRequestBytes: GI, memoryLimitBytes: undefined }],
      }),
    );
    expect(capacitySignals(snapshotAt(0, {}, pods)).requestOvercommit).toBe(1);
    // Of a pod that was not admitted, the request holds nothing.
    const finished = pods.map((pod) => ({ ...pod, phase: pod.uid === "a" ? "Running" : "Failed" }));
    expect(capacitySignals(snapshotAt(0, {}, finished)).requestOvercommit).toBeCloseTo(1 / 3, 12);
  });
});
