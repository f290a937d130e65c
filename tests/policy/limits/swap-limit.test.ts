import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Container, NodeCapacity } from "../../../src/policy/limits/container.ts";
import { invertOomScoreAdj } from "../../../src/policy/limits/oom-score-adj.ts";
import { decideSwapLimit, type SwapLimitConfig } from "../../../src/policy/limits/swap-limit.ts";
import { kubeletOomScoreAdj, kubeletSwapLimit } from "../../node/kubelet.ts";

const MI = 2 ** 20;
const GI = 2 ** 30;

const node: NodeCapacity = { memoryTotalBytes: 4_112_945_152, swapTotalBytes: 1_073_737_728 };

const config: SwapLimitConfig = {
  swapBehavior: "LimitedSwap",
  workloads: "Burstable",
  podOverrides: "Lower",
  excludeNamespaces: ["kube-system", "openshift*"],
  systemReservedSwapBytes: 0,
};

const container: Container = {
  namespace: "shop",
  qosClass: "Burstable",
  isStatic: false,
  isCritical: false,
  isVirtualMachine: false,
  memoryRequest: exactly(64 * MI),
  memoryLimitBytes: 512 * MI,
  swapOverride: undefined,
};

const shareOf64Mi = 17_519_640; // what the kubelet gave on this node: tests/fixtures/recordings/limitedswap.txt

function exactly(bytes: number) {
  return { lowBytes: bytes, highBytes: bytes };
}

describe("a container's entitlement", () => {
  test.each<[string, Partial<Container>, number, string]>([
    ["the share that the kubelet computes", {}, shareOf64Mi, "limited-swap"],
    ["the share without a memory limit", { memoryLimitBytes: undefined }, shareOf64Mi, "limited-swap"],
    ["a limit of 0 for a request of 0 with a memory limit", { memoryRequest: exactly(0) }, 0, "limited-swap"],
    [
      "none without request and limit",
      { memoryRequest: exactly(0), memoryLimitBytes: undefined },
      0,
      "no-memory-request",
    ],
    ["none where request equals limit", { memoryLimitBytes: 64 * MI }, 0, "request-equals-limit"],
    [
      "none where request and limit may be equal",
      { memoryRequest: { lowBytes: 60 * MI, highBytes: 70 * MI }, memoryLimitBytes: 64 * MI },
      0,
      "request-equals-limit",
    ],
    [
      "none where the request may be 0",
      { memoryRequest: { lowBytes: 0, highBytes: 8 * MI } },
      0,
      "request-unknown",
    ],
    [
      "none where the request cannot be as high as the limit",
      { memoryRequest: { lowBytes: 600 * MI, highBytes: 604 * MI } },
      0,
      "request-unknown",
    ],
    [
      "none for a request above the node",
      { memoryRequest: exactly(5 * GI), memoryLimitBytes: 6 * GI },
      0,
      "request-above-capacity",
    ],
    ["none when Guaranteed", { qosClass: "Guaranteed" }, 0, "guaranteed"],
    ["none when BestEffort", { qosClass: "BestEffort" }, 0, "best-effort"],
    ["none when critical", { isCritical: true }, 0, "critical"],
    ["none when static", { isStatic: true }, 0, "static"],
    ["none in an excluded namespace", { namespace: "kube-system" }, 0, "excluded-namespace"],
    [
      "none in a namespace excluded by its prefix",
      { namespace: "openshift-monitoring" },
      0,
      "excluded-namespace",
    ],
    [
      "a share in a namespace with a similar name",
      { namespace: "kube-system2" },
      shareOf64Mi,
      "limited-swap",
    ],
    ["a share in an unknown namespace", { namespace: undefined }, shareOf64Mi, "limited-swap"],
  ])("%s", (_, changes, limitBytes, reason) => {
    expect(decideSwapLimit({ ...container, ...changes }, node, config)).toEqual({
      limitBytes,
      reason,
    } as never);
  });

  test.each<[string, Partial<SwapLimitConfig>, Partial<Container>, number, string]>([
    ["NoSwap", { swapBehavior: "NoSwap" }, {}, 0, "swap-behavior"],
    [
      "NoSwap before any other reason",
      { swapBehavior: "NoSwap" },
      { qosClass: "Guaranteed" },
      0,
      "swap-behavior",
    ],
    ["UnlimitedSwap", { swapBehavior: "UnlimitedSwap" }, {}, Number.POSITIVE_INFINITY, "unlimited-swap"],
    [
      "UnlimitedSwap, request equal to limit",
      { swapBehavior: "UnlimitedSwap" },
      { memoryLimitBytes: 64 * MI },
      0,
      "request-equals-limit",
    ],
    ["UnlimitedSwap, critical", { swapBehavior: "UnlimitedSwap" }, { isCritical: true }, 0, "critical"],
    ["VirtualMachines, another pod", { workloads: "VirtualMachines" }, {}, 0, "not-virtual-machine"],
    [
      "VirtualMachines, a virtual machine",
      { workloads: "VirtualMachines" },
      { isVirtualMachine: true },
      shareOf64Mi,
      "limited-swap",
    ],
  ])("%s", (_, configChanges, changes, limitBytes, reason) => {
    expect(decideSwapLimit({ ...container, ...changes }, node, { ...config, ...configChanges })).toEqual({
      limitBytes,
      reason,
    } as never);
  });

  test("is 0 on a node without swap", () => {
    expect(decideSwapLimit(container, { ...node, swapTotalBytes: 0 }, config)).toEqual({
      limitBytes: 0,
      reason: "no-swap-on-node",
    });
  });

  test("is a share of the swap that is not reserved", () => {
    const half = { ...config, systemReservedSwapBytes: node.swapTotalBytes / 2 };
    expect(decideSwapLimit(container, node, half)).toEqual({
      limitBytes: shareOf64Mi / 2,
      reason: "limited-swap",
    });
    const all = { ...config, systemReservedSwapBytes: node.swapTotalBytes + 1 };
    expect(decideSwapLimit(container, node, all)).toEqual({ limitBytes: 0, reason: "no-swap-on-node" });
  });

  test("is 0 where the node's memory reads as 0", () => {
    expect(decideSwapLimit(container, { ...node, memoryTotalBytes: 0 }, config).limitBytes).toBe(0);
  });

  test("equals the kubelet's to the byte for every request, memory and swap", () => {
    const kibibytes = fc.integer({ min: 1, max: 8 * 2 ** 30 });
    fc.assert(
      fc.property(kibibytes, kibibytes, fc.double({ min: 0, max: 1, noNaN: true }), (memory, swap, share) => {
        const memoryTotalBytes = memory * 1024;
        const swapTotalBytes = swap * 1024;
        const requestBytes = Math.max(1, Math.floor(memoryTotalBytes * share));
        const exact = { ...container, memoryRequest: exactly(requestBytes), memoryLimitBytes: undefined };
        expect(decideSwapLimit(exact, { memoryTotalBytes, swapTotalBytes }, config).limitBytes).toBe(
          kubeletSwapLimit(requestBytes, memoryTotalBytes, swapTotalBytes),
        );
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("the limit by oom_score_adj alone", () => {
  // Resolution of an oom_score_adj in thousandths of the node's swap; the ends of its range are clamped.
  const openThousandths = (adj: number) => (adj === 3 ? 3 : adj === 999 ? 2 : 1);

  test("is never above the exact limit, and below it by at most the resolution of oom_score_adj", () => {
    const kibibytes = fc.integer({ min: 1000, max: 8 * 2 ** 30 });
    fc.assert(
      fc.property(kibibytes, kibibytes, fc.double({ min: 0, max: 1, noNaN: true }), (memory, swap, share) => {
        const memoryTotalBytes = memory * 1024;
        const swapTotalBytes = swap * 1024;
        const requestBytes = Math.floor(memoryTotalBytes * share);
        const adj = kubeletOomScoreAdj(requestBytes, memoryTotalBytes);
        const memoryRequest = invertOomScoreAdj(adj, memoryTotalBytes) ?? exactly(-1);
        const granted = decideSwapLimit(
          { ...container, memoryRequest, memoryLimitBytes: undefined },
          { memoryTotalBytes, swapTotalBytes },
          config,
        ).limitBytes;
        const exact = kubeletSwapLimit(requestBytes, memoryTotalBytes, swapTotalBytes);
        expect(granted).toBeLessThanOrEqual(exact);
        // Both are truncated to bytes, so the difference of two may be one byte more.
        expect(exact - granted).toBeLessThan((openThousandths(adj) * swapTotalBytes) / 1000 + 1);
      }),
      { numRuns: 20_000 },
    );
  });

  test("is right for every oom_score_adj at both ends of its requests", () => {
    for (const memoryTotalBytes of [node.memoryTotalBytes, 16 * GI + 4096, 1.5 * 2 ** 40, 12 * 2 ** 40]) {
      for (let adj = 3; adj <= 999; adj++) {
        const memoryRequest = invertOomScoreAdj(adj, memoryTotalBytes) ?? exactly(-1);
        const swapTotalBytes = memoryTotalBytes / 2;
        const granted = decideSwapLimit(
          { ...container, memoryRequest, memoryLimitBytes: undefined },
          { memoryTotalBytes, swapTotalBytes },
          config,
        ).limitBytes;
        const lowest = kubeletSwapLimit(memoryRequest.lowBytes, memoryTotalBytes, swapTotalBytes);
        const highest = kubeletSwapLimit(memoryRequest.highBytes, memoryTotalBytes, swapTotalBytes);
        expect(granted).toBe(adj === 999 ? 0 : lowest);
        expect(highest - granted).toBeLessThan((openThousandths(adj) * swapTotalBytes) / 1000 + 1);
      }
    }
  });
});

describe("a pod's own annotation", () => {
  test.each<[string, SwapLimitConfig["podOverrides"], string, number, string, string | undefined]>([
    ["less", "Lower", "8Mi", 8 * MI, "pod-override", undefined],
    ["nothing", "Lower", "0", 0, "pod-override", undefined],
    [
      "more",
      "Lower",
      "1Gi",
      shareOf64Mi,
      "limited-swap",
      "1Gi: above the entitlement, and podOverrides is Lower",
    ],
    [
      "no limit",
      "Lower",
      "max",
      shareOf64Mi,
      "limited-swap",
      "max: above the entitlement, and podOverrides is Lower",
    ],
    ["the same", "Lower", `${shareOf64Mi}`, shareOf64Mi, "limited-swap", undefined],
    ["more, where allowed", "Any", "1Gi", GI, "pod-override", undefined],
    ["no limit, where allowed", "Any", "max", Number.POSITIVE_INFINITY, "pod-override", undefined],
    ["less, where overrides are off", "Never", "0", shareOf64Mi, "limited-swap", "0: podOverrides is Never"],
    ["nonsense", "Any", "-5", shareOf64Mi, "limited-swap", '-5: neither "max" nor a quantity of bytes'],
  ])("%s (%s)", (_, podOverrides, swapOverride, limitBytes, reason, ignoredOverride) => {
    const decision = decideSwapLimit({ ...container, swapOverride }, node, { ...config, podOverrides });
    expect(decision).toEqual({
      limitBytes,
      reason,
      ...(ignoredOverride === undefined ? {} : { ignoredOverride }),
    } as never);
  });

  test("gives swap to a container without entitlement only where more may be requested", () => {
    const equal = { ...container, memoryLimitBytes: 64 * MI, swapOverride: "32Mi" };
    expect(decideSwapLimit(equal, node, config).limitBytes).toBe(0);
    expect(decideSwapLimit(equal, node, { ...config, podOverrides: "Any" }).limitBytes).toBe(32 * MI);
  });

  test.each<Partial<Container>>([
    { qosClass: "Guaranteed" },
    { qosClass: "BestEffort" },
    { isCritical: true },
    { isStatic: true },
    { namespace: "kube-system" },
  ])("gives no swap to an excluded pod: %j", (changes) => {
    const asking = { ...container, ...changes, swapOverride: "max" };
    expect(decideSwapLimit(asking, node, { ...config, podOverrides: "Any" }).limitBytes).toBe(0);
  });

  test("never raises a limit unless that is allowed, for any text", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom("Never" as const, "Lower" as const),
        (swapOverride, podOverrides) => {
          const { limitBytes } = decideSwapLimit({ ...container, swapOverride }, node, {
            ...config,
            podOverrides,
          });
          expect(limitBytes).toBeLessThanOrEqual(shareOf64Mi);
          expect(limitBytes).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
