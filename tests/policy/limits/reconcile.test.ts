import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Pod } from "../../../src/policy/kubernetes/pod.ts";
import {
  type FoundContainer,
  indexPods,
  type ReconcileConfig,
  reconcile,
} from "../../../src/policy/limits/reconcile.ts";
import type { MemoryQosConfig } from "../../../src/policy/memory-qos/classes.ts";
import { DB_POD } from "../db-pod.ts";

const MI = 2 ** 20;
const PAGE = 4096;
const node = { memoryTotalBytes: 4_112_945_152, swapTotalBytes: 1_073_737_728 };
// The kubelet's 17519640, rounded down by the kernel: tests/fixtures/recordings/limitedswap.txt.
const shareInPages = 17_518_592;

const config: ReconcileConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Lower",
  excludeNamespaces: [],
  systemReservedSwapBytes: 0,
  nodeSwapLimitBytes: undefined,
};

const pod: Pod = {
  ...DB_POD,
  containers: [
    { name: "db", id: "abc", memoryRequestBytes: 64 * MI, memoryLimitBytes: 512 * MI },
    { name: "starting", id: undefined, memoryRequestBytes: 64 * MI, memoryLimitBytes: undefined },
  ],
};
const found: FoundContainer = { id: "abc", podUid: pod.uid, effectiveBytes: shareInPages, swapUsageBytes: 0 };

function findingOf(changes: Partial<FoundContainer>, pods: readonly Pod[] = [pod], knobs = config) {
  return reconcile({ ...found, ...changes }, indexPods(pods), node, knobs, PAGE);
}

describe("a container's limit", () => {
  test.each<[string, Partial<FoundContainer>, object]>([
    [
      "is kept if the kernel has rounded it",
      {},
      { action: "keep", containerName: "db", isBelowUsage: false },
    ],
    ["is written if it is a page too low", { effectiveBytes: shareInPages - PAGE }, { action: "write" }],
    ["is written if it is a page too high", { effectiveBytes: shareInPages + PAGE }, { action: "write" }],
    ["is written after a resize has reset it to 0", { effectiveBytes: 0 }, { action: "write" }],
    ["is written if it was removed", { effectiveBytes: Number.POSITIVE_INFINITY }, { action: "write" }],
    [
      "is written below the swap usage, which is reported",
      { effectiveBytes: 64 * MI, swapUsageBytes: 20 * MI },
      { action: "write", isBelowUsage: true },
    ],
    [
      "is kept below the swap usage, which is reported",
      { swapUsageBytes: 20 * MI },
      { action: "keep", isBelowUsage: true },
    ],
    ["is held for an unknown pod", { podUid: "other" }, { action: "hold", reason: "pod-unknown" }],
    ["is held for a pause container", { id: "pause" }, { action: "hold", reason: "container-unknown" }],
  ])("%s", (_, changes, expected) => {
    expect(findingOf(changes)).toMatchObject(expected);
  });

  test.each<[string, Record<string, string>, number, string]>([
    [
      "unlimited, by a class",
      { "class.memory-qos.nri.io": "bronze" },
      Number.POSITIVE_INFINITY,
      "memory-qos-class",
    ],
    [
      "the share again, without the class",
      { "class.memory-qos.nri.io/db": "" },
      shareInPages,
      "limited-swap",
    ],
    [
      "an annotation's, in whole pages",
      { "class.memory-qos.nri.io": "bronze", "memory.swap.max.memory-qos.nri.io/db": "12345" },
      3 * PAGE,
      "memory-qos-annotation",
    ],
    [
      "below the class's, by the pod's own annotation for wasp",
      { "class.memory-qos.nri.io": "bronze", "wasp.io/swap-limit": "8Mi" },
      8 * MI,
      "pod-override",
    ],
  ])("of memory QoS is %s", (_, annotations, wantedBytes, reason) => {
    const memoryQos: MemoryQosConfig = {
      classes: [{ name: "bronze", swapLimitRatio: 0.5, maxSwapBytes: Number.POSITIVE_INFINITY }],
      unifiedAnnotations: ["memory.swap.max"],
      maxBytes: { "memory.swap.max": Number.POSITIVE_INFINITY },
    };
    const finding = findingOf({}, [{ ...pod, annotations }], { ...config, podOverrides: "Lower", memoryQos });
    expect(finding).toMatchObject({ wantedBytes, decision: { reason } });
  });

  test("is held if an annotation for memory QoS is invalid, where memory QoS is on", () => {
    const annotated = { ...pod, annotations: { "class.memory-qos.nri.io": "gold" } };
    expect(findingOf({}, [annotated])).toMatchObject({ action: "keep", wantedBytes: shareInPages });
    const memoryQos: MemoryQosConfig = { classes: [], unifiedAnnotations: [] };
    const held = { action: "hold", reason: "annotation-wrong" };
    expect(findingOf({}, [annotated], { ...config, memoryQos })).toMatchObject(held);
  });

  test("is held until the kubelet has set the QoS class", () => {
    expect(findingOf({}, [{ ...pod, qosClass: undefined }])).toMatchObject({
      action: "hold",
      reason: "qos-class-unknown",
    });
  });

  test("is kept if it is unlimited in the kernel and in the decision", () => {
    const unlimited: ReconcileConfig = { ...config, swapBehavior: "UnlimitedSwap" };
    expect(findingOf({ effectiveBytes: Number.POSITIVE_INFINITY }, [pod], unlimited)).toMatchObject({
      action: "keep",
    });
    expect(findingOf({}, [pod], unlimited)).toMatchObject({ action: "write" });
  });

  test("is at most the limit of all pods together", () => {
    const knobs = { ...config, nodeSwapLimitBytes: 10 * MI + 1 };
    const expected = { action: "write", wantedBytes: 10 * MI, decision: { limitBytes: 17_519_640 } };
    expect(findingOf({}, [pod], knobs)).toMatchObject(expected);
    expect(findingOf({ effectiveBytes: 10 * MI }, [pod], knobs)).toMatchObject({ action: "keep" });
  });

  test("of a static pod is found by the pod's hash, with the kubelet's UID and with its mirror's", () => {
    const hash = "74c1ca1ffd079a8c2b1d59f08ded8b15";
    const mirror: Pod = {
      ...pod,
      annotations: { "kubernetes.io/config.mirror": hash },
    };
    const expected = { action: "write", decision: { limitBytes: 0, reason: "critical" } };
    expect(findingOf({ podUid: hash }, [mirror])).toMatchObject(expected);
    expect(findingOf({ podUid: hash }, [{ ...mirror, uid: hash }])).toMatchObject(expected);
  });

  test("is the pod's own, although another pod claims to be the mirror of its UID", () => {
    const claim = { ...pod, uid: "claim", annotations: { "kubernetes.io/config.mirror": pod.uid } };
    for (const pods of [
      [pod, claim],
      [claim, pod],
    ]) {
      expect(indexPods(pods).get(pod.uid)).toBe(pod);
      expect([...new Set(indexPods(pods).values())]).toContain(pod);
    }
  });
});

test("each limit is kept once it is written", () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 32 });
  fc.assert(
    fc.property(
      bytes,
      fc.option(bytes, { nil: undefined }),
      bytes,
      (memoryRequestBytes, memoryLimitBytes, effectiveBytes) => {
        const containers = [{ name: "db", id: "abc", memoryRequestBytes, memoryLimitBytes }];
        const first = findingOf({ effectiveBytes }, [{ ...pod, containers }]);
        if (first.action !== "write") return;
        const kernelKeeps = Math.floor(first.decision.limitBytes / PAGE) * PAGE;
        expect(first.wantedBytes).toBe(kernelKeeps);
        expect(findingOf({ effectiveBytes: kernelKeeps }, [{ ...pod, containers }])).toMatchObject({
          action: "keep",
        });
      },
    ),
  );
});

describe("the limit of a pod whose containers run in one sandbox", () => {
  const running = (name: string, memoryRequestBytes: number, changes = {}) => ({
    ...{ name, id: `id-${name}`, memoryRequestBytes, memoryLimitBytes: undefined, isRunning: true },
    ...changes,
  });
  const [db, log] = [running("db", 64 * MI), running("log", 64 * MI)];
  const ended = running("init", 64 * MI, { isRunning: undefined });
  const none = running("none", 0);

  test.each<[string, Pod["containers"], object]>([
    ["is that of its container", [db], { wantedBytes: shareInPages, containerName: "db" }],
    ["is what they have together", [db, log], { wantedBytes: 2 * shareInPages, containerName: "db,log" }],
    ["leaves out one that has ended", [ended, db], { wantedBytes: shareInPages, containerName: "db" }],
    [
      "adds nothing for one without swap",
      [none, db],
      { wantedBytes: shareInPages, containerName: "none,db" },
    ],
    ["is none for a pod without swap", [none], { wantedBytes: 0, decision: { reason: "no-memory-request" } }],
    ["is none for two of them", [none, none], { wantedBytes: 0, decision: { reason: "pod-sandbox" } }],
    [
      "is held for one with an unreadable value",
      [db, { ...log, isUnreadable: true }],
      { action: "hold", reason: "value-unreadable", containerName: "db,log" },
    ],
    ["is held while none runs", [ended], { action: "hold", reason: "container-unknown" }],
  ])("%s", (_, containers, expected) => {
    expect(findingOf({ id: pod.uid, isSandbox: true }, [{ ...pod, containers }])).toMatchObject(expected);
  });

  test("is never more than their limits together, and at most the limit of all pods", () => {
    const requests = fc.array(fc.integer({ min: 0, max: 1024 * MI }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(requests, fc.option(fc.nat(64 * MI), { nil: undefined }), (sizes, nodeSwapLimitBytes) => {
        const containers = sizes.map((bytes, index) => running(`c${index}`, bytes));
        const pods = [{ ...pod, containers }];
        const limitOf = (found: Partial<FoundContainer>, knobs: ReconcileConfig) => {
          const finding = findingOf(found, pods, knobs);
          return finding.action === "hold" ? Number.NaN : finding.wantedBytes;
        };
        const alone = containers
          .map(({ id }) => limitOf({ id }, config))
          .reduce((sum, bytes) => sum + bytes, 0);
        const together = limitOf({ id: pod.uid, isSandbox: true }, { ...config, nodeSwapLimitBytes });
        const bound = nodeSwapLimitBytes ?? Number.POSITIVE_INFINITY;
        expect(together).toBe(Math.min(alone, bound - (Number.isFinite(bound) ? bound % PAGE : 0)));
      }),
    );
  });
});
